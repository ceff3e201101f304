"""What the suite itself costs: the codec, and the harness around each case."""
