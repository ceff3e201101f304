"""The wire: traces, recording proxies, scripted ends, and what can be said of a recorded trace."""
