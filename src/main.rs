//! tripsettle
fn main() {}
