//! Identities and secrets that exist only here, so that any trace of one is a leak.

use super::Owner;

/// A person as the cloud describes an owner.
#[derive(Clone, Copy)]
pub(in crate::sim) struct Person {
    pub(in crate::sim) user_id: &'static str,
    pub(in crate::sim) user_kp: &'static str,
    pub(in crate::sim) user_name: &'static str,
    pub(in crate::sim) display_name: &'static str,
}

impl From<Person> for Owner {
    fn from(person: Person) -> Self {
        Self {
            user_id: person.user_id.to_owned(),
            user_kp: person.user_kp.to_owned(),
            user_name: person.user_name.to_owned(),
            display_name: person.display_name.to_owned(),
        }
    }
}

/// Owns the workspaces of cn-hangzhou.
pub(in crate::sim) const ZHANG: Person = Person {
    user_id: "1095312831785714",
    user_kp: "1755049830261894",
    user_name: "zhangwei-canary-7f3a",
    display_name: "张伟-canary-c41d",
};

/// Owns the workspaces of cn-shanghai.
pub(in crate::sim) const LIU: Person = Person {
    user_id: "1184620957713286",
    user_kp: "1755049830267731",
    user_name: "liuyang-canary-2b9e",
    display_name: "刘洋-canary-90ab",
};

/// The user behind the simulator's own keys: creator of whatever a request creates.
pub(in crate::sim) const CALLER: Person = Person {
    user_id: "204771836620915547",
    user_kp: "1755049830263358",
    user_name: "agent-operator-canary-d58c",
    display_name: "Agent Operator-canary-6e17",
};

/// RAM users that created seeded workspaces, images and jobs.
pub(in crate::sim) const CREATOR_A: &str = "203918475562018833";
pub(in crate::sim) const CREATOR_B: &str = "208846120937745106";
/// What ListJobs calls the two.
pub(in crate::sim) const CREATOR_A_NAME: &str = "lin.tao-canary-b71c";
pub(in crate::sim) const CREATOR_B_NAME: &str = "he.yun-canary-3e9f";
/// The user who wins a scripted name race.
pub(in crate::sim) const RIVAL: &str = "206350718294416672";
/// The primary account: parent of image owners and tenant of jobs.
pub(in crate::sim) const PARENT: &str = "1622847590316642";
pub(in crate::sim) const TENANT: &str = "1377620948851203";

/// Other companies' accounts, with which datasets are shared.
pub(in crate::sim) const SHARER: &str = "1530288471659034";
pub(in crate::sim) const PARTNER: &str = "1745906612830497";

pub(in crate::sim) const ADMIN_LI: &str = "admin.li-canary-51@acme-train.example";
pub(in crate::sim) const ADMIN_WANG: &str = "ops.wang-canary-88@acme-train.example";
pub(in crate::sim) const ADMIN_CHEN: &str = "chen.jie-canary-19@acme-train.example";
/// Planted in the untyped `ExtraInfos`, and in what datasets say of their sharing.
pub(in crate::sim) const CONTACT: &str = "zhao.min-canary-e2@acme-train.example";

/// Planted in the details of a RAM denial.
pub(in crate::sim) const PRINCIPAL_NAME: &str = "sun.hao-canary-ram-4d60";
pub(in crate::sim) const PRINCIPAL_OWNER_ID: &str = "1460933751288497";
pub(in crate::sim) const DIAGNOSTIC_MESSAGE: &str = "AQEAAAAAZ2NhbmFyeS1kaWFnbm9zdGljLTljMmY";

pub(in crate::sim) const ENV_SECRET: &str = "wandb-canary-5d2c8f1e7a90b346";
pub(in crate::sim) const CUSTOM_ENV_SECRET: &str = "hf_canaryQx7TbZ2mLr9KpVw4";
pub(in crate::sim) const REGISTRY_USER: &str = "vision-puller-canary-03";
pub(in crate::sim) const REGISTRY_PASSWORD: &str = "Rg!canary-83kd02mz";
pub(in crate::sim) const REGISTRY_AUTH: &str = "dmlzaW9uLXB1bGxlcjpjYW5hcnktYXV0aA";
pub(in crate::sim) const ASSUMED_KEY_ID: &str = "STS.NUcanary7Hf2Kd9Lq";
pub(in crate::sim) const ASSUMED_TOKEN: &str = "CAIScanary1q6Ft5B2yfSjIr5bYKdTr";

pub(in crate::sim) const CODE_USER: &str = "git-puller-canary-9d";
pub(in crate::sim) const CODE_TOKEN: &str = "glpat-canaryVq83LzT1nK";
pub(in crate::sim) const PAYROLL_TOKEN: &str = "glpat-canary0pYr77oLLw";
/// Planted in a repository's address.
pub(in crate::sim) const CODE_PASSWORD: &str = "canaryUrl7Tq2Xw9";

/// Let slip in the hostile log and its events.
pub(in crate::sim) const LOG_ACCESS_KEY: &str = "LTAI5tCanary7Hf2Kd9LqW3x";
pub(in crate::sim) const LOG_SECRET: &str = "9sCanaryR4vTz8Qm1Xb6Yc3Wd0Ke5P";
pub(in crate::sim) const LOG_BEARER: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canaryZx81KqT5";
pub(in crate::sim) const LOG_PERSON: &str = "wu.fang-canary-a4@acme-train.example";

/// The user name behind the user id of a job.
pub(in crate::sim) fn user_name(user_id: &str) -> Option<&'static str> {
    match user_id {
        CREATOR_A => Some(CREATOR_A_NAME),
        CREATOR_B => Some(CREATOR_B_NAME),
        id => (id == CALLER.user_id).then_some(CALLER.user_name),
    }
}

/// Every planted identity and secret of the simulator. None may ever be seen outside it.
pub const CANARIES: &[&str] = &[
    ZHANG.user_id,
    ZHANG.user_kp,
    ZHANG.user_name,
    ZHANG.display_name,
    LIU.user_id,
    LIU.user_kp,
    LIU.user_name,
    LIU.display_name,
    CALLER.user_id,
    CALLER.user_kp,
    CALLER.user_name,
    CALLER.display_name,
    CREATOR_A,
    CREATOR_B,
    CREATOR_A_NAME,
    CREATOR_B_NAME,
    RIVAL,
    PARENT,
    TENANT,
    SHARER,
    PARTNER,
    ADMIN_LI,
    ADMIN_WANG,
    ADMIN_CHEN,
    CONTACT,
    PRINCIPAL_NAME,
    PRINCIPAL_OWNER_ID,
    DIAGNOSTIC_MESSAGE,
    ENV_SECRET,
    CUSTOM_ENV_SECRET,
    REGISTRY_USER,
    REGISTRY_PASSWORD,
    REGISTRY_AUTH,
    ASSUMED_KEY_ID,
    ASSUMED_TOKEN,
    CODE_USER,
    CODE_TOKEN,
    PAYROLL_TOKEN,
    CODE_PASSWORD,
    LOG_ACCESS_KEY,
    LOG_SECRET,
    LOG_BEARER,
    LOG_PERSON,
];
