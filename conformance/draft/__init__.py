"""The draft RFCs: 41, 45, 48, 49, 51, 52."""
