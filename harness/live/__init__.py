"""`zconform tap`: what passes between two real applications, shown and judged while it passes."""
