"""The cases: the folder is the specification."""
