//! What prost's derived messages cannot have: text that stays where it is.
//!
//! Messages with text in them are written by hand, all others are derived. A payload of ten
//! thousand series took most of its time to copy their tags.

use prost::bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

/// Writes a field of text; nothing for empty text, as for all fields of their default.
pub(super) fn write_text(field: u32, text: &str, buffer: &mut impl BufMut) {
    if !text.is_empty() {
        encode_key(field, WireType::LengthDelimited, buffer);
        encode_varint(text.len() as u64, buffer);
        buffer.put_slice(text.as_bytes());
    }
}

/// The bytes of that.
pub(super) fn text_len(field: u32, text: &str) -> usize {
    match text.len() {
        0 => 0,
        bytes => key_len(field) + encoded_len_varint(bytes as u64) + bytes,
    }
}

/// Makes a message of a type with `write` and `length`. None is ever read.
macro_rules! written_by_hand {
    ($type:ident) => {
        impl prost::Message for $type<'_> {
            fn encode_raw(&self, buffer: &mut impl prost::bytes::BufMut) {
                self.write(buffer);
            }

            fn encoded_len(&self) -> usize {
                self.length()
            }

            fn clear(&mut self) {
                *self = Self::default();
            }

            fn merge_field(
                &mut self,
                field: u32,
                wire_type: prost::encoding::WireType,
                buffer: &mut impl prost::bytes::Buf,
                context: prost::encoding::DecodeContext,
            ) -> Result<(), prost::DecodeError> {
                prost::encoding::skip_field(wire_type, field, buffer, context)
            }
        }
    };
}
pub(super) use written_by_hand;
