//! Measures a build.

fn main() -> anyhow::Result<()> {
    let figures = fermata_tests::bench::graph::measure()?;
    std::io::Write::write_all(
        &mut std::io::stdout(),
        fermata_tests::bench::figure::table(&figures).as_bytes(),
    )?;
    Ok(())
}
