"""`zconform rejudge RESULTS`: the stored conversations of a past run before today's checks."""
