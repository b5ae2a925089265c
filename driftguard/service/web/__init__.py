"""Pages for people: server-rendered, readable without script, in English and Korean."""
