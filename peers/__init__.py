"""The peers: each in a folder of its own, with a manifest and an adapter."""
