"""People's accounts on django-allauth: signing in and out, passwords, the second factor, sessions, lockout.

allauth does the work; here stands what the portal decides otherwise, and which of its addresses exist at all.
"""
