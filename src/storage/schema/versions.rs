//! The migrations of MAS that masctl was tested with, those of MAS 1.22.0, and what came with which.

/// All of them, in order.
#[rustfmt::skip]
pub(super) const KNOWN: [i64; 167] = [
    20_220_530_084_123, 20_221_018_142_001, 20_221_121_151_402, 20_221_213_145_242, 20_230_408_234_928, 20_230_616_093_555,
    20_230_621_140_528, 20_230_626_130_338, 20_230_728_154_304, 20_230_823_125_247, 20_230_828_085_439, 20_230_828_143_553,
    20_230_829_092_920, 20_230_829_141_928, 20_230_904_135_550, 20_230_911_091_636, 20_230_919_155_444, 20_231_009_142_904,
    20_231_116_104_353, 20_231_120_110_559, 20_231_207_090_532, 20_231_208_155_602, 20_240_207_100_003, 20_240_220_141_353,
    20_240_220_150_201, 20_240_221_164_945, 20_240_301_091_201, 20_240_402_084_854, 20_240_621_080_509, 20_240_718_075_125,
    20_241_004_075_132, 20_241_004_121_132, 20_241_007_160_050, 20_241_115_163_340, 20_241_118_115_314, 20_241_120_163_320,
    20_241_122_130_349, 20_241_122_133_435, 20_241_124_145_741, 20_241_125_110_803, 20_241_129_091_057, 20_241_202_123_523,
    20_241_210_115_428, 20_241_210_133_651, 20_241_212_154_426, 20_241_213_180_524, 20_250_109_105_709, 20_250_113_102_144,
    20_250_114_135_939, 20_250_115_155_255, 20_250_124_151_529, 20_250_129_154_003, 20_250_130_170_011, 20_250_225_091_000,
    20_250_311_093_145, 20_250_312_094_013, 20_250_317_151_803, 20_250_325_102_310, 20_250_404_105_103, 20_250_410_000_000,
    20_250_410_000_001, 20_250_410_000_002, 20_250_410_000_003, 20_250_410_000_004, 20_250_410_000_005, 20_250_410_000_006,
    20_250_410_000_007, 20_250_410_000_008, 20_250_410_000_009, 20_250_410_000_010, 20_250_410_000_011, 20_250_410_000_012,
    20_250_410_000_013, 20_250_410_000_014, 20_250_410_000_015, 20_250_410_000_016, 20_250_410_000_017, 20_250_410_000_018,
    20_250_410_000_019, 20_250_410_000_020, 20_250_410_000_021, 20_250_410_000_022, 20_250_410_000_023, 20_250_410_000_024,
    20_250_410_000_025, 20_250_410_000_026, 20_250_410_000_027, 20_250_410_000_028, 20_250_410_000_029, 20_250_410_000_030,
    20_250_410_000_031, 20_250_410_000_032, 20_250_410_000_033, 20_250_410_000_034, 20_250_410_000_035, 20_250_410_000_036,
    20_250_410_000_037, 20_250_410_000_038, 20_250_410_000_039, 20_250_410_000_040, 20_250_410_000_041, 20_250_410_000_042,
    20_250_410_000_043, 20_250_410_000_044, 20_250_410_000_045, 20_250_410_121_612, 20_250_410_174_306, 20_250_424_150_930,
    20_250_425_113_717, 20_250_506_161_158, 20_250_507_131_948, 20_250_602_212_100, 20_250_602_212_101, 20_250_602_212_102,
    20_250_602_212_103, 20_250_602_212_104, 20_250_630_120_643, 20_250_708_155_857, 20_250_709_142_230, 20_250_709_142_240,
    20_250_915_092_000, 20_250_915_092_635, 20_250_924_132_713, 20_251_023_134_634, 20_251_121_145_458, 20_251_127_145_951,
    20_260_108_111_542, 20_260_108_120_030, 20_260_108_121_127, 20_260_108_121_952, 20_260_108_144_040, 20_260_108_145_240,
    20_260_108_175_627, 20_260_109_115_009, 20_260_109_172_537, 20_260_109_172_950, 20_260_109_172_954, 20_260_112_094_550,
    20_260_112_094_837, 20_260_115_111_313, 20_260_116_000_002, 20_260_116_000_003, 20_260_116_000_004, 20_260_121_103_025,
    20_260_121_104_214, 20_260_121_112_201, 20_260_121_121_140, 20_260_121_121_150, 20_260_122_113_523, 20_260_122_114_353,
    20_260_122_123_211, 20_260_122_124_231, 20_260_123_090_000, 20_260_123_090_001, 20_260_123_090_002, 20_260_324_000_001,
    20_260_403_000_001, 20_260_403_144_138, 20_260_513_103_411, 20_260_528_100_001, 20_260_528_100_002, 20_260_528_134_948,
    20_260_528_135_303, 20_260_529_100_001, 20_260_623_100_001, 20_260_716_100_001, 20_260_720_134_722,
];

/// What only databases of early days hold: MAS has taken these migrations back, and accepts them silently.
const TAKEN_BACK: [i64; 3] = [20_220_709_210_445, 20_230_330_210_841, 20_230_408_110_421];

/// MAS's first migration with the tables of today: without it, the database is not MAS's.
pub(super) const INITIAL: i64 = 20_221_018_142_001;

/// The newest migration that masctl was tested with, the last of MAS 1.22.0.
pub const NEWEST_KNOWN: i64 = KNOWN[KNOWN.len() - 1];

/// The MAS whose migrations they are.
pub(super) const MAS: &str = "1.22";

/// What the versions add up to: with their number it tells this set from any other that is likely.
pub(super) const SUM: i64 = sum(&KNOWN);

/// What masctl works with, and the first migration that it needs.
const FEATURES: [(i64, &str); 16] = [
    (20_230_728_154_304, "locked accounts"),
    (20_231_009_142_904, "administrators"),
    (20_241_004_121_132, "the job queue"),
    (20_241_120_163_320, "failed jobs"),
    (20_241_122_130_349, "scheduled jobs"),
    (20_241_125_110_803, "recurring jobs"),
    (20_250_114_135_939, "compatibility sessions without a device"),
    (20_250_124_151_529, "unsupported third-party ids"),
    (20_250_129_154_003, "names of compatibility sessions"),
    (20_250_130_170_011, "guests"),
    (20_250_311_093_145, "deactivated accounts"),
    (20_250_410_121_612, "usernames without regard to case"),
    (20_250_602_212_100, "registration tokens"),
    (20_250_924_132_713, "personal sessions and tokens"),
    (20_251_023_134_634, "more than one personal token"),
    (20_260_108_120_030, "e-mail addresses without confirmation"),
];

const fn sum(versions: &[i64]) -> i64 {
    let mut sum = 0;
    let mut at = 0;
    while at < versions.len() {
        sum += versions[at];
        at += 1;
    }
    sum
}

/// What first needs a migration, in a few words. `None` if nothing of it is masctl's concern.
#[must_use]
pub fn feature(version: i64) -> Option<&'static str> {
    let found = FEATURES.iter().find(|(first, _)| *first == version);
    found.map(|(_, feature)| *feature)
}

/// The known versions that are not among the applied ones, and the applied ones that nobody knows. Both in order.
pub(super) fn compare(applied: &[i64]) -> (Vec<i64>, Vec<i64>) {
    let missing = KNOWN.iter().copied().filter(|version| !applied.contains(version));
    let is_foreign = |version: &i64| !KNOWN.contains(version) && !TAKEN_BACK.contains(version);
    (missing.collect(), applied.iter().copied().filter(is_foreign).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_migrations_are_those_of_the_catalogue() {
        let catalogue = include_str!("../../../tests/fixtures/mas/migrations.tsv")
            .lines()
            .skip(1);
        let versions: Vec<i64> = catalogue
            .map(|line| line.split('\t').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(versions, KNOWN);
        assert_eq!(versions.iter().sum::<i64>(), SUM);
        assert!(KNOWN.is_sorted() && KNOWN.contains(&INITIAL));
    }

    #[test]
    fn every_feature_has_a_migration_that_is_known() {
        for (version, feature) in FEATURES {
            assert!(KNOWN.contains(&version), "{feature}: {version}");
        }
        assert_eq!(feature(20_250_602_212_100), Some("registration tokens"));
        assert_eq!(feature(NEWEST_KNOWN), None);
    }

    #[test]
    fn what_mas_has_taken_back_is_not_unknown() {
        let mut applied = [&KNOWN[..2], &KNOWN[3..], &TAKEN_BACK, &[20_990_101_000_000]].concat();
        assert_eq!(compare(&applied), (vec![KNOWN[2]], vec![20_990_101_000_000]));
        applied.clear();
        assert_eq!(compare(&applied), (KNOWN.to_vec(), Vec::new()));
    }
}
