"""Signing in and out."""

from django.contrib.auth import views
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache


@method_decorator(never_cache, name="dispatch")
class SignIn(views.LoginView):
    """Asks for name and password; somebody who is signed in already goes on to the runs."""

    template_name = "account/sign_in.html"
    redirect_authenticated_user = True


class SignOut(views.LogoutView):
    """Ends the session; POST only, so that no link can do it."""

    http_method_names = ["post", "options"]
