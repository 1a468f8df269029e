-- So that those that are too old to be told again can be forgotten.
CREATE INDEX recording_callback_age ON recording_callback (at_ms);
