"""The API, one package per version; a version that is published keeps its promises."""
