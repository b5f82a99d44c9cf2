/**
 * Numbers of RTCP packets and feedback formats, by the registries of RFC 3550 §12 and RFC 4585 §9.
 */

export const RTCP_SENDER_REPORT = 200
export const RTCP_RECEIVER_REPORT = 201
export const RTCP_SOURCE_DESCRIPTION = 202
export const RTCP_BYE = 203
export const RTCP_TRANSPORT_FEEDBACK = 205
export const RTCP_PAYLOAD_FEEDBACK = 206

/** Formats of RTCP_TRANSPORT_FEEDBACK. */
export const FEEDBACK_NACK = 1
export const FEEDBACK_TRANSPORT = 15

/** Formats of RTCP_PAYLOAD_FEEDBACK. */
export const FEEDBACK_PLI = 1
export const FEEDBACK_FIR = 4
export const FEEDBACK_APPLICATION = 15

/** "REMB" */
export const REMB_IDENTIFIER = 0x52454d42

export const SDES_CNAME = 1
export const REPORT_BLOCK_BYTES = 24
