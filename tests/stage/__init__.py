"""The stage: roles, legs, casts."""
