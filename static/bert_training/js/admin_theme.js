/** Gives the admin the light or dark choice that the pages keep in a cookie. A classic script in the head: it runs
 * before the first paint, and Django's template has no place where the server could print the choice on <html>. */
const chosenTheme = document.cookie.match(/(?:^|; )theme=(dark|light)(?:;|$)/);
if (chosenTheme) {
  document.documentElement.dataset.theme = chosenTheme[1];
}
