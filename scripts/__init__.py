"""Tools of the project itself: reference pages, builds, test servers."""
