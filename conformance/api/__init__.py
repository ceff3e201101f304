"""What the manual of libzmq promises of its options beyond the RFCs, asked of peers that claim them."""
