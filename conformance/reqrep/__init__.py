"""RFC 28: REQ, REP, DEALER and ROUTER; and the Identity property of RFC 37."""
