-- The SIP answer that decided each leg's INVITE, for the record of a call. 0: none came. A dialled call has one INVITE for both.
ALTER TABLE session ADD COLUMN a_sip_code INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN a_sip_reason TEXT;
ALTER TABLE session ADD COLUMN b_sip_code INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN b_sip_reason TEXT;
