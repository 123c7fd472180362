//! Lists of objects as clients write them.
