//! The public machine types that a job can ask for.

/// What one machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) name: &'static str,
    pub(super) cpu: u64,
    /// GiB.
    pub(super) memory: u64,
    pub(super) gpu: u64,
}

const MACHINES: [Machine; 10] = [
    machine("ecs.g6.large", 2, 8, 0),
    machine("ecs.g6.xlarge", 4, 16, 0),
    machine("ecs.g6.2xlarge", 8, 32, 0),
    machine("ecs.c6.large", 2, 4, 0),
    machine("ecs.c6.xlarge", 4, 8, 0),
    machine("ecs.gn6i-c4g1.xlarge", 4, 15, 1),
    machine("ecs.gn6v-c8g1.2xlarge", 8, 32, 1),
    machine("ecs.gn7i-c8g1.2xlarge", 8, 30, 1),
    machine("ecs.gn7e-c16g1.4xlarge", 16, 125, 1),
    machine("ecs.gn7-c13g1.26xlarge", 104, 768, 8),
];

const fn machine(name: &'static str, cpu: u64, memory: u64, gpu: u64) -> Machine {
    Machine { name, cpu, memory, gpu }
}

pub(super) fn find(name: &str) -> Option<Machine> {
    MACHINES.into_iter().find(|machine| machine.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_world_md_names_every_machine() {
        let docs = include_str!("../../../docs/world.md");
        let missing: Vec<&str> =
            MACHINES.iter().map(|m| m.name).filter(|name| !docs.contains(&format!("`{name}`"))).collect();
        assert_eq!(missing, Vec::<&str>::new());
    }
}
