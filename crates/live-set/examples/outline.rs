//! Prints the outline of a set: `cargo run -p live-set --example outline -- song.als`.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::fs::File;

use live_set::Set;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("give the path of an .als file")?;
    let set = Set::read(File::open(path)?)?;
    let project = set.project();
    println!("{} beats a minute, root hash {}", project.tempo, set.root_hash());
    for track in &project.tracks {
        let clips = track.slots.iter().filter(|slot| slot.clip.is_some()).count();
        println!(
            "{:>3} {:<7} {} ({clips} clips)",
            track.index,
            track.track_type.as_str(),
            track.name
        );
        for device in &track.devices {
            println!("{:>16} ({} parameters)", device.name, device.parameters.len());
        }
    }
    for scene in &project.scenes {
        println!("scene {:>3} {}", scene.index, scene.name);
    }
    Ok(())
}
