"""The server's own pages, in the language of who asks for them."""
