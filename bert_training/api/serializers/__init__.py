"""What the API shows, field by field; read only. Bodies that come in are in bodies.py and the contract."""
