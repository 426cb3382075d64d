//! Fields that borrow their text and numbers, which prost's derived messages cannot do.
//!
//! Messages with such fields are written by hand; all others are derived. With owned fields, most
//! of the time for a payload of ten thousand series went into copying tags.

use prost::bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

/// Writes a field of text or bytes; nothing if it is empty, as proto3 does for every field.
pub(super) fn write_bytes(field: u32, bytes: impl AsRef<[u8]>, buffer: &mut impl BufMut) {
    let bytes = bytes.as_ref();
    if !bytes.is_empty() {
        encode_key(field, WireType::LengthDelimited, buffer);
        encode_varint(bytes.len() as u64, buffer);
        buffer.put_slice(bytes);
    }
}

/// The number of bytes that [`write_bytes`] appends.
pub(super) fn bytes_len(field: u32, bytes: impl AsRef<[u8]>) -> usize {
    match bytes.as_ref().len() {
        0 => 0,
        bytes => key_len(field) + encoded_len_varint(bytes as u64) + bytes,
    }
}

/// Implements prost's `Message` for a type with `write` and `length`. Decoding is never used.
macro_rules! written_by_hand {
    ($type:ty) => {
        impl prost::Message for $type {
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
