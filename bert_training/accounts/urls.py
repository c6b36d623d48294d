"""The addresses of accounts, under the names that allauth looks up. What is not listed here does not exist.

Left out on purpose: self-registration, changing and confirming e-mail addresses, signing in by code or passkey.
"""

from django.urls import path

from bert_training.accounts import views

urlpatterns = [
    path("sign-in", views.SignIn.as_view(), name="account_login"),
    path("sign-out", views.SignOut.as_view(), name="account_logout"),
]
