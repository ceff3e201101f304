"""What old versions of libzmq do beyond the RFCs: durable identities, and queues that go on on disk."""
