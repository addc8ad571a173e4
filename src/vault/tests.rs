use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const ABOUT: &str = "Password of a tool";
const SECRET: &str = "canary-4b71 \"quoted\"\n\u{1b}[31m\u{1f512}";

/// A home with a vault that nobody has used yet.
fn vault() -> (TempDir, Vault) {
    let home = tempfile::tempdir().unwrap();
    let vault = Vault::new(home.path().join("state/vault"), HOUR);
    (home, vault)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn secret(text: &str) -> Deposit {
    Deposit::of_test(text, ABOUT)
}

fn names(vault: &Vault) -> Vec<String> {
    let listed = fs::read_dir(&vault.directory).unwrap();
    let mut names: Vec<String> =
        listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn path(vault: &Vault, scope: &str, deposit: &Deposit) -> PathBuf {
    vault.directory.join(entry::name(deposit.handle(), scope))
}

/// What came of asking: the secret, or the error's words.
fn said(result: Result<Redeemed, VaultError>) -> Result<String, String> {
    result.map(|redeemed| redeemed.expose().to_owned()).map_err(|error| error.to_string())
}

fn redeemed(vault: &Vault, scope: &str, deposit: &Deposit, now: Timestamp) -> Result<String, String> {
    said(vault.redeem(scope, deposit.handle(), now))
}

fn nothing() -> Result<String, String> {
    Err("nothing is kept under this handle: it is another's, it has expired, or it never was; make the call \
         again that gave the secret"
        .to_owned())
}

#[test]
fn nothing_is_touched_before_the_first_deposit() {
    let (home, vault) = vault();
    let deposit = secret(SECRET);
    vault.deposit("s", &[], at(0)).unwrap();
    vault.purge(at(0)).unwrap();
    vault.remove(deposit.handle()).unwrap();
    assert_eq!(redeemed(&vault, "s", &deposit, at(0)), nothing());
    assert_eq!(said(vault.read_for_owner(deposit.handle(), at(0))), nothing());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_secret_comes_back_byte_for_byte_with_what_it_is_and_until_when() {
    let (_home, vault) = vault();
    let deposit = secret(SECRET);
    vault.deposit("s", std::slice::from_ref(&deposit), at(0)).unwrap();
    for found in [vault.redeem("s", deposit.handle(), at(0)), vault.read_for_owner(deposit.handle(), at(0))] {
        let found = found.unwrap();
        assert_eq!((found.expose(), found.about(), found.expires()), (SECRET, ABOUT, at(3600)));
    }
}

#[test]
fn a_file_says_what_it_holds() {
    let (_home, vault) = vault();
    let deposit = secret("pass");
    vault.deposit("s", std::slice::from_ref(&deposit), at(0)).unwrap();
    assert_eq!(
        fs::read_to_string(path(&vault, "s", &deposit)).unwrap(),
        r#"{"version":1,"scope":"s","about":"Password of a tool","expires":"2027-01-15T09:00:00Z","secret":"pass"}"#
    );
}

#[cfg(unix)]
#[test]
fn directory_and_files_are_the_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (home, vault) = vault();
    let deposit = secret(SECRET);
    let file = path(&vault, "s", &deposit);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

    // From the first byte on, as nobody sees it under its name before it is whole.
    let place = Place::create(&vault.directory).unwrap();
    let unfinished = entry::write(&place, "s", &deposit, at(3600)).unwrap();
    assert_eq!((mode(unfinished.path()), file.exists()), (0o600, false));
    drop(unfinished);
    assert_eq!(names(&vault), [""; 0]);

    vault.deposit("s", &[deposit], at(0)).unwrap();
    assert_eq!(
        (mode(&home.path().join("state")), mode(&vault.directory), mode(&file)),
        (0o700, 0o700, 0o600)
    );
    assert_eq!(mode(&vault.directory.join(".lock")), 0o600);
}

#[cfg(unix)]
#[test]
fn a_directory_that_others_can_write_takes_and_gives_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, vault) = vault();
    let deposit = secret(SECRET);
    vault.deposit("s", std::slice::from_ref(&deposit), at(0)).unwrap();
    let before = names(&vault);
    fs::set_permissions(&vault.directory, fs::Permissions::from_mode(0o770)).unwrap();
    let refused = format!(
        "the vault {} can be written by other users, so it keeps no secret; mend that, or choose another directory with --vault",
        vault.directory.display()
    );
    let words = |result: Result<(), VaultError>| result.unwrap_err().to_string();
    assert_eq!(words(vault.deposit("s", &[secret("another")], at(0))), refused);
    assert_eq!(words(vault.purge(at(9999))), refused);
    assert_eq!(words(vault.remove(deposit.handle())), refused);
    assert_eq!(redeemed(&vault, "s", &deposit, at(0)), Err(refused.clone()));
    assert_eq!(said(vault.read_for_owner(deposit.handle(), at(0))), Err(refused));
    assert_eq!(names(&vault), before);
}

#[cfg(unix)]
#[test]
fn a_link_or_a_file_in_place_of_the_directory_is_refused() {
    let (home, vault) = vault();
    let elsewhere = home.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::create_dir(home.path().join("state")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &vault.directory).unwrap();
    // However the link is written.
    for written in ["state/vault", "state/vault/", "state/vault/."] {
        let vault = Vault::new(home.path().join(written), HOUR);
        let error = vault.deposit("s", &[secret(SECRET)], at(0)).unwrap_err().to_string();
        assert!(error.contains("is a symbolic link"), "{error}");
    }
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);

    fs::remove_file(&vault.directory).unwrap();
    fs::write(&vault.directory, "").unwrap();
    let error = vault.deposit("s", &[secret(SECRET)], at(0)).unwrap_err().to_string();
    assert!(error.contains("isn't a directory"), "{error}");
}

#[test]
fn a_secret_holds_until_its_expiry_and_not_at_it() {
    let (_home, vault) = vault();
    let deposit = secret(SECRET);
    vault.deposit("s", std::slice::from_ref(&deposit), at(0)).unwrap();
    let just_before = at(3600).checked_sub(SignedDuration::from_nanos(1)).unwrap();
    assert_eq!(redeemed(&vault, "s", &deposit, just_before), Ok(SECRET.to_owned()));
    assert_eq!(said(vault.read_for_owner(deposit.handle(), just_before)), Ok(SECRET.to_owned()));
    assert_eq!(redeemed(&vault, "s", &deposit, at(3600)), nothing());
    assert_eq!(said(vault.read_for_owner(deposit.handle(), at(3600))), nothing());

    vault.purge(just_before).unwrap();
    assert!(path(&vault, "s", &deposit).exists());
    vault.purge(at(3600)).unwrap();
    assert_eq!(names(&vault), [".lock"]);
}

#[test]
fn a_lifetime_past_the_end_of_time_ends_there() {
    let (_home, vault) = vault();
    let vault = Vault::new(vault.directory, SignedDuration::MAX);
    let deposit = secret(SECRET);
    vault.deposit("s", std::slice::from_ref(&deposit), at(0)).unwrap();
    assert_eq!(vault.redeem("s", deposit.handle(), at(0)).unwrap().expires(), Timestamp::MAX);
}

/// Unknown, expired or another's: an agent can't tell.
#[test]
fn a_handle_opens_nothing_in_another_scope_and_says_no_more_than_one_that_never_was() {
    let (_home, vault) = vault();
    let deposit = secret(SECRET);
    vault.deposit("s", std::slice::from_ref(&deposit), at(0)).unwrap();
    assert_eq!(redeemed(&vault, "other", &deposit, at(0)), nothing());
    assert_eq!(redeemed(&vault, "", &deposit, at(0)), nothing());
    assert_eq!(redeemed(&vault, "s", &secret("never deposited"), at(0)), nothing());
    assert_eq!(redeemed(&vault, "s", &deposit, at(7200)), nothing());

    // Not even where a file is put under another scope's name.
    fs::rename(path(&vault, "s", &deposit), path(&vault, "other", &deposit)).unwrap();
    assert_eq!(redeemed(&vault, "other", &deposit, at(0)), nothing());
}

#[test]
fn two_scopes_with_one_secret_keep_it_apart_and_the_owner_reads_the_newest() {
    let (_home, vault) = vault();
    let of = |about: &str| [Deposit::of_test(SECRET, about)];
    vault.deposit("one", &of("of one"), at(0)).unwrap();
    vault.deposit("two", &of("of two"), at(1800)).unwrap();
    let [deposit] = of("");
    let owner = |now| vault.read_for_owner(deposit.handle(), now).map(|redeemed| redeemed.about().to_owned());
    assert_eq!(owner(at(1800)).unwrap(), "of two");

    vault.purge(at(3600)).unwrap();
    assert_eq!(redeemed(&vault, "one", &deposit, at(3600)), nothing());
    assert_eq!(redeemed(&vault, "two", &deposit, at(3600)), Ok(SECRET.to_owned()));

    vault.deposit("one", &of("of one again"), at(3600)).unwrap();
    assert_eq!(owner(at(3600)).unwrap(), "of one again");
    vault.remove(deposit.handle()).unwrap();
    assert_eq!(names(&vault), [".lock"]);
}

#[test]
fn the_same_secret_again_holds_anew() {
    let (_home, vault) = vault();
    let deposit = [secret(SECRET)];
    vault.deposit("s", &deposit, at(0)).unwrap();
    vault.deposit("s", &deposit, at(1800)).unwrap();
    assert_eq!(vault.redeem("s", deposit[0].handle(), at(5000)).unwrap().expires(), at(5400));
    assert_eq!(names(&vault).len(), 2);
}

#[test]
fn a_deposit_clears_out_what_expired_and_what_a_crash_left() {
    let (_home, vault) = vault();
    vault.deposit("s", &[secret("old"), secret("older")], at(0)).unwrap();
    fs::write(vault.directory.join(".deposit-Xy12Zz"), "{\"version\":1,\"secret\":\"half").unwrap();
    let kept = secret("new");
    vault.deposit("s", std::slice::from_ref(&kept), at(3600)).unwrap();
    assert_eq!(names(&vault), [".lock".to_owned(), entry::name(kept.handle(), "s")]);
}

#[test]
fn a_deposit_that_fails_on_the_way_takes_back_what_it_made_and_nothing_else() {
    let (_home, vault) = vault();
    let [there, new, stuck] = ["there", "new", "stuck"].map(secret);
    vault.deposit("s", std::slice::from_ref(&there), at(0)).unwrap();
    let obstacle = path(&vault, "s", &stuck);
    fs::create_dir(&obstacle).unwrap();
    let before = names(&vault);

    let handles = [there.handle().clone(), new.handle().clone(), stuck.handle().clone()];
    let error = vault.deposit("s", &[there, new, stuck], at(60)).unwrap_err();
    assert!(matches!(&error, VaultError::Io { doing: "write", path, .. } if *path == obstacle), "{error}");
    assert_eq!(names(&vault), before);
    let found = handles.map(|handle| said(vault.redeem("s", &handle, at(60))));
    assert_eq!(found, [Ok("there".to_owned()), nothing(), nothing()]);
}

#[test]
fn a_deposit_with_nowhere_to_go_is_an_error_and_keeps_nothing() {
    let (home, vault) = vault();
    fs::write(home.path().join("state"), "a file").unwrap();
    let error = vault.deposit("s", &[secret(SECRET)], at(0)).unwrap_err();
    assert!(matches!(&error, VaultError::Io { path, .. } if *path == vault.directory), "{error}");
    assert!(!error.to_string().contains("canary"), "{error}");
    assert_eq!(fs::read(home.path().join("state")).unwrap(), b"a file");
}

#[test]
fn a_file_that_is_not_the_vaults_is_unknown_to_agents_and_named_to_its_owner() {
    let (_home, vault) = vault();
    let deposit = secret(SECRET);
    vault.deposit("s", std::slice::from_ref(&deposit), at(0)).unwrap();
    let file = path(&vault, "s", &deposit);
    let good = fs::read_to_string(&file).unwrap();
    let odd = |why: &str| {
        assert_eq!(redeemed(&vault, "s", &deposit, at(0)), nothing(), "{why}");
        let named = format!(
            "the vault's file {} {why}, so it isn't used; look into who changed it, and remove it",
            file.display()
        );
        assert_eq!(said(vault.read_for_owner(deposit.handle(), at(0))), Err(named));
        // Nor does it stand in anybody's way, or get lost.
        vault.purge(at(0)).unwrap();
        vault.remove(deposit.handle()).unwrap();
        assert!(file.exists(), "{why}");
    };
    for broken in [
        String::new(),
        "{".to_owned(),
        good.replace("\"version\":1", "\"version\":2"),
        good.replace("\"secret\":", "\"secrets\":"),
        good.replace("{\"version\"", "{\"more\":1,\"version\""),
        good.replace("2027-01-15T09:00:00Z", "tomorrow"),
    ] {
        fs::write(&file, broken).unwrap();
        odd("can't be read, or doesn't hold what the vault writes");
    }
    fs::write(&file, &good).unwrap();
    assert_eq!(redeemed(&vault, "s", &deposit, at(0)), Ok(SECRET.to_owned()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        odd("is open to other users");
        fs::remove_file(&file).unwrap();
        let elsewhere = vault.directory.join("elsewhere");
        fs::write(&elsewhere, &good).unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        odd("isn't a plain file");
    }
}

#[test]
fn a_secret_that_can_be_read_is_given_to_its_owner_beside_a_file_that_cannot() {
    let (_home, vault) = vault();
    let deposit = [secret(SECRET)];
    vault.deposit("one", &deposit, at(0)).unwrap();
    vault.deposit("two", &deposit, at(0)).unwrap();
    fs::write(path(&vault, "two", &deposit[0]), "{").unwrap();
    assert_eq!(said(vault.read_for_owner(deposit[0].handle(), at(0))), Ok(SECRET.to_owned()));
}

#[test]
fn depositors_at_once_do_not_get_into_each_others_way() {
    let (_home, vault) = vault();
    let all: Vec<String> = (0..8).map(|number| format!("secret {number}")).collect();
    std::thread::scope(|threads| {
        for text in &all {
            // The shared one is stored by each, and cleared out by none.
            threads.spawn(|| vault.deposit("s", &[secret("shared"), secret(text)], at(0)).unwrap());
        }
    });
    for text in all.iter().map(String::as_str).chain(["shared"]) {
        assert_eq!(redeemed(&vault, "s", &secret(text), at(0)), Ok(text.to_owned()));
    }
    assert_eq!(names(&vault).len(), 10);
}

#[test]
fn what_is_redeemed_cannot_be_printed() {
    let (_home, vault) = vault();
    let deposit = secret(SECRET);
    vault.deposit("s", std::slice::from_ref(&deposit), at(0)).unwrap();
    let redeemed = vault.redeem("s", deposit.handle(), at(0)).unwrap();
    assert_eq!(format!("{redeemed:?}"), "Redeemed(..)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_the_secret_and_the_scope_it_comes_back_there_and_nowhere_else(
        text: String,
        scope: String,
        other: String,
    ) {
        let (_home, vault) = vault();
        let deposit = secret(&text);
        vault.deposit(&scope, std::slice::from_ref(&deposit), at(0)).unwrap();
        prop_assert_eq!(redeemed(&vault, &scope, &deposit, at(0)), Ok(text));
        if other != scope {
            prop_assert_eq!(redeemed(&vault, &other, &deposit, at(0)), nothing());
        }
    }
}
