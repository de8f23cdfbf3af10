//! The authored form: a document as people write it, each part with its place.
