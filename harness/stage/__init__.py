"""Scenarios: roles that several peers play side by side, the taps on their legs, and who plays what."""
