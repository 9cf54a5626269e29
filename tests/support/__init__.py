"""Support for the tests: local servers, fake services, databases, recordings, browsers."""
