//! x
fn main() {
    for t in redline_mcp::tools::all() {
        let s = t.schema();
        println!("{} full {} adv {} :: {}", t.name(), s.full.to_string().len(), s.advertised.to_string().len(), s.description);
    }
    println!("{}", redline_mcp::tools::find("dlc_create_job").unwrap().schema().advertised);
    println!("{}", redline_mcp::tools::find("aiworkspace_create_workspace").unwrap().schema().full);
    let t = redline_mcp::tools::find("dlc_create_job").unwrap();
    for a in [serde_json::json!({"regionId":"cn-hangzhou","WorkspaceId":5,"DisplayName":"", "Priority": 12, "JobSpecs":[{"Image":"x","ResourceConfig":{"CPU":"1","cpu":"4"},"EcsSpec":"a","RestartPolicy":"never"}]}),
      serde_json::json!({"RegionId":"cn-hangzho","WorkspaceId":"5","DisplayName":"a", "Priority": 2, "JobSpecs":[{"Image":"x","ResourceConfig":{"CPU":"1"},"EcsSpec":"a","Type":"Head"}], "JobType":"PyTorchJob"})] {
        match t.parse(a.as_object().unwrap()) { Ok(_) => println!("ok"), Err(f) => for f in f.as_slice() { println!("{f}") } }
    }
}
