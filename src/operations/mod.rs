pub mod world;
pub use world::World;
pub struct Run;
