use super::*;

#[test]
fn compiled_policies_make_sense() {
    compiled().unwrap();
}
