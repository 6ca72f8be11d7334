import HTTPTypes
import Registry

/// What the database knows that decides about a publish; read under the lock of the crate's row.
struct PublishFacts: Equatable {
    /// The crate's name as its first publisher spelled it; nil if this publish would create the crate.
    let storedName: String?
    /// True if the one who publishes owns the crate; without meaning for a new crate.
    let isOwner: Bool
    /// True if a version with the same number, build metadata aside, is there, yanked or not.
    let versionExists: Bool
    /// The checksum that this number had when it was first uploaded; it survives the version's deletion (I2).
    let rememberedChecksum: Checksum?
}

/// May this version be added to this crate? Pure; the order of crates.io.
///
/// | situation                                             | answer                          | case    |
/// |-------------------------------------------------------|---------------------------------|---------|
/// | another one owns the crate                            | 403                             | E13     |
/// | the name is taken in another spelling                 | 400 `crate was previously named` | F2     |
/// | the number is there, whatever its build metadata      | 400 `already uploaded`          | F5, E17 |
/// | the number was there with other bytes, and is deleted | 400 `already uploaded`          | I2      |
enum PublishCheck: Equatable {
    case accepted
    case refused(Refusal)

    init(_ facts: PublishFacts, name: CrateName, version: Version, checksum: Checksum) {
        if let objection = Self.objection(facts, name: name, version: version, checksum: checksum) {
            self = .refused(objection)
        } else {
            self = .accepted
        }
    }

    private static func objection(
        _ facts: PublishFacts, name: CrateName, version: Version, checksum: Checksum
    ) -> Refusal? {
        if let storedName = facts.storedName {
            guard facts.isOwner else { return notOwner(name) }
            guard storedName == name.spelling else {
                return .badRequest(
                    "crate was previously named '\(storedName)'; names that differ only in case, `-` and `_` are the "
                        + "same name, so write it that way or choose another")
            }
        }
        if facts.versionExists {
            return .badRequest(
                "crate version '\(version)' is already uploaded; a version's content never changes, so raise "
                    + "`version` in Cargo.toml")
        }
        if let remembered = facts.rememberedChecksum, remembered != checksum {
            return .badRequest(
                "crate version '\(version)' is already uploaded, with other content, and was deleted since; a "
                    + "version's content never changes, so raise `version` in Cargo.toml")
        }
        return nil
    }

    /// The crate was never published here, so it has no owner: its upstream's next word would undo any change.
    static func notOurs(_ name: String) -> Refusal {
        Refusal(
            .conflict,
            "`\(name)` comes from an upstream, so nobody here owns or yanks it; to keep builds from a version, an "
                + "administrator blocks it by the repository's rules: `longshore-origin policy --help`")
    }

    static func notOwner(_ name: CrateName) -> Refusal {
        .forbidden(
            "this crate exists but you don't seem to be an owner. If you believe this is a mistake, ask an owner of "
                + "`\(name.spelling)` to run `cargo owner --add` with your login")
    }
}
