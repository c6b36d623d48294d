"""The pull agent: a supervisor that talks to the portal and a child that trains. Needs no Django, runs on Windows."""
