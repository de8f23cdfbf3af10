use crate::kit::*;
use std::sync::Arc;
#[tokio::test(flavor = "multi_thread")]
async fn perf() {
    let kit = Kit::new(|c| {
        c.limits = fermata_host::Limits::default();
        c.clock = Arc::new(|| fermata_core::time::Timestamp(1));
    });
    let d = kit.admit(Source::default().module()).await.digest;
    let mut v = vec![];
    let grants = Arc::default();
    let sink: fermata_host::ProgressSink = Arc::new(|_| ());
    for _ in 0..3000 {
        let i = invocation(d);
        let t = std::time::Instant::now();
        let r = kit
            .sandbox
            .run(i, Arc::clone(&grants), Arc::clone(&sink))
            .await;
        v.push(t.elapsed());
        drop(r);
    }
    v.sort();
    println!("PERF p50 {:?} p99 {:?} min {:?}", v[1500], v[2970], v[0]);
    let cpu = || {
        std::fs::read_to_string("/proc/self/stat")
            .unwrap()
            .split(' ')
            .skip(13)
            .take(2)
            .map(|x| x.parse::<u64>().unwrap())
            .sum::<u64>()
    };
    let a = cpu();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    println!("PERF idle cpu jiffies in 3 s: {}", cpu() - a);
    let maps = std::fs::read_to_string("/proc/self/status").unwrap();
    println!(
        "PERF {}",
        maps.lines()
            .filter(|l| l.starts_with("Vm"))
            .collect::<Vec<_>>()
            .join(" ")
    );
}
