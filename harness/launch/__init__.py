"""Starting peers and ending them, so that nothing of them is left behind."""
