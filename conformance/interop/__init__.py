"""Peer against peer, through the tap."""
