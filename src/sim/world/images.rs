//! Images: official ones, the same in every region, and those that workspaces own.

use super::canaries::{CREATOR_A, CREATOR_B, PARENT};
use super::random::SplitMix64;
use super::seed::before_start;
use super::{Belongs, Image, Workspace};

type Labels = &'static [(&'static str, &'static str)];

/// Name and tag, description, GB, days before the default clock starts, labels.
const OFFICIAL: [(&str, &str, u32, i64, Labels); 6] = [
    (
        "pytorch-training:2.1-gpu-py310-cu118-ubuntu22.04",
        "PyTorch 2.1 for NVIDIA GPUs",
        17,
        420,
        &[
            ("system.chipType", "GPU"),
            ("system.framework", "PyTorch"),
            ("system.officialReleased", "true"),
            ("system.origin", "Official"),
            ("system.pythonVersion", "3.10"),
            ("system.supported.dlc", "true"),
            ("system.supported.dsw", "true"),
        ],
    ),
    (
        "pytorch-training:2.3-gpu-py310-cu121-ubuntu22.04",
        "PyTorch 2.3 for NVIDIA GPUs",
        19,
        200,
        &[
            ("system.chipType", "GPU"),
            ("system.framework", "PyTorch"),
            ("system.officialReleased", "true"),
            ("system.origin", "Official"),
            ("system.pythonVersion", "3.10"),
            ("system.supported.dlc", "true"),
            ("system.supported.dsw", "true"),
        ],
    ),
    (
        "pytorch-training:2.3-cpu-py310-ubuntu22.04",
        "PyTorch 2.3 without GPU support",
        6,
        199,
        &[
            ("system.chipType", "CPU"),
            ("system.framework", "PyTorch"),
            ("system.officialReleased", "true"),
            ("system.origin", "Official"),
            ("system.pythonVersion", "3.10"),
            ("system.supported.dlc", "true"),
            ("system.supported.dsw", "true"),
        ],
    ),
    (
        "tensorflow-training:2.15-gpu-py311-cu122-ubuntu22.04",
        "TensorFlow 2.15 for NVIDIA GPUs",
        15,
        350,
        &[
            ("system.chipType", "GPU"),
            ("system.framework", "TensorFlow"),
            ("system.officialReleased", "true"),
            ("system.origin", "Official"),
            ("system.pythonVersion", "3.11"),
            ("system.supported.dlc", "true"),
            ("system.supported.dsw", "true"),
        ],
    ),
    (
        "deepspeed-training:0.14-gpu-py310-cu121-ubuntu22.04",
        "DeepSpeed 0.14 on PyTorch 2.3",
        22,
        150,
        &[
            ("system.chipType", "GPU"),
            ("system.framework", "DeepSpeed"),
            ("system.officialReleased", "true"),
            ("system.origin", "Official"),
            ("system.pythonVersion", "3.10"),
            ("system.supported.dlc", "true"),
            ("system.supported.dsw", "false"),
        ],
    ),
    (
        "pytorch-training:2.6-gpu-py312-cu126-ubuntu24.04-preview",
        "PyTorch 2.6, a preview",
        21,
        12,
        &[
            ("system.chipType", "GPU"),
            ("system.framework", "PyTorch"),
            ("system.officialReleased", "false"),
            ("system.origin", "Official"),
            ("system.pythonVersion", "3.12"),
            ("system.supported.dlc", "true"),
            ("system.supported.dsw", "true"),
        ],
    ),
];

struct Own {
    region: &'static str,
    workspace: &'static str,
    repository: &'static str,
    tag: &'static str,
    description: &'static str,
    accessibility: &'static str,
    size: u32,
    days_old: i64,
    user_id: &'static str,
}

const OWN: [Own; 5] = [
    Own {
        region: "cn-hangzhou",
        workspace: "vision_train",
        repository: "vision-team/detector",
        tag: "2025.11",
        description: "Detector training, CUDA 12.1",
        accessibility: "PUBLIC",
        size: 14,
        days_old: 40,
        user_id: CREATOR_A,
    },
    Own {
        region: "cn-hangzhou",
        workspace: "vision_train",
        repository: "vision-team/segmenter",
        tag: "1.4.2",
        description: "Segmenter training",
        accessibility: "PRIVATE",
        size: 12,
        days_old: 25,
        user_id: CREATOR_B,
    },
    Own {
        region: "cn-hangzhou",
        workspace: "vision_train_eval",
        repository: "vision-team/detector-eval",
        tag: "2025.11",
        description: "Detector evaluation",
        accessibility: "PUBLIC",
        size: 9,
        days_old: 38,
        user_id: CREATOR_B,
    },
    Own {
        region: "cn-shanghai",
        workspace: "speech_train",
        repository: "speech-team/conformer",
        tag: "3.0.1",
        description: "Conformer training",
        accessibility: "PUBLIC",
        size: 16,
        days_old: 60,
        user_id: CREATOR_B,
    },
    Own {
        region: "cn-shanghai",
        workspace: "vision_train",
        repository: "vision-team/detector",
        tag: "2025.11",
        description: "Detector training, Shanghai mirror",
        accessibility: "PUBLIC",
        size: 14,
        days_old: 35,
        user_id: CREATOR_A,
    },
];

/// The official images, with the registry of `region` in their URIs.
pub(super) fn official(seed: u64, region: &str) -> Vec<Image> {
    let mut random = SplitMix64::new(seed, region, 1);
    let row = |(name, description, size, days_old, labels): &(&str, &str, u32, i64, Labels)| Image {
        id: image_id(&mut random),
        name: (*name).to_owned(),
        uri: format!("dsw-registry-vpc.{region}.cr.aliyuncs.com/pai/{name}"),
        description: (*description).to_owned(),
        accessibility: "PUBLIC".to_owned(),
        size: *size,
        created: before_start(days_old * 24),
        labels: owned(labels),
        belongs: None,
    };
    OFFICIAL.iter().map(row).collect()
}

/// The images that the workspaces of `region` own.
pub(super) fn own(seed: u64, region: &str, workspaces: &[Workspace]) -> Vec<Image> {
    let mut random = SplitMix64::new(seed, region, 2);
    let rows = OWN.iter().filter(|row| row.region == region).filter_map(|row| {
        let workspace = workspaces.iter().find(|workspace| workspace.name == row.workspace)?;
        let name = row.repository.rsplit('/').next().unwrap_or(row.repository);
        Some(Image {
            id: image_id(&mut random),
            name: format!("{name}-{}", row.tag),
            uri: format!("registry-vpc.{region}.aliyuncs.com/{}:{}", row.repository, row.tag),
            description: row.description.to_owned(),
            accessibility: row.accessibility.to_owned(),
            size: row.size,
            created: before_start(row.days_old * 24),
            labels: owned(&[
                ("system.chipType", "GPU"),
                ("system.framework", "PyTorch"),
                ("system.origin", "Custom"),
                ("system.supported.dlc", "true"),
            ]),
            belongs: Some(Belongs {
                workspace_id: workspace.id.clone(),
                user_id: row.user_id.to_owned(),
                parent_user_id: PARENT.to_owned(),
                source_id: format!("dsw-{}", random.text(16)),
            }),
        })
    });
    rows.collect()
}

fn owned(labels: &[(&str, &str)]) -> Vec<(String, String)> {
    labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn image_id(random: &mut SplitMix64) -> String {
    format!("image-{}", random.text(20))
}
