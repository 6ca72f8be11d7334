import Hummingbird

/// What of a repository can be set; nil leaves it as it is, or takes the default for a new one.
///
/// | JSON, flag                                         | default       |                                                |
/// |----------------------------------------------------|---------------|------------------------------------------------|
/// | `private`, `--private` / `--public`                | public        | reads need a token                             |
/// | `offline`, `--offline`                             | `serve-stale` | or `refuse`: what a cut-off edge does          |
/// | `offline_seconds_max`, `--offline-seconds-max`     | 86400         | how long an edge may serve stale content       |
/// | `metadata_required`, `--metadata-required`         | false         | publish needs a description and a licence      |
/// | `rewrite_crates_io`, `--rewrite-crates-io`         | `auto`        | `CratesIORewriting`: whether dependencies of own crates on crates.io stay inside |
package struct RepositorySettings: Hashable, Sendable, Codable {
    package static let offlineSecondsLimit = 366 * 86_400

    package var isPrivate: Bool?
    package var offline: Repository.Offline?
    package var offlineSecondsMax: Int?
    package var metadataRequired: Bool?
    package var cratesIO: CratesIORewriting?

    private enum CodingKeys: String, CodingKey {
        case isPrivate = "private"
        case offline
        case offlineSecondsMax = "offline_seconds_max"
        case metadataRequired = "metadata_required"
        case cratesIO = "rewrite_crates_io"
    }

    package init(
        isPrivate: Bool? = nil, offline: Repository.Offline? = nil, offlineSecondsMax: Int? = nil,
        metadataRequired: Bool? = nil, cratesIO: CratesIORewriting? = nil
    ) {
        self.isPrivate = isPrivate
        self.offline = offline
        self.offlineSecondsMax = offlineSecondsMax
        self.metadataRequired = metadataRequired
        self.cratesIO = cratesIO
    }

    /// - Throws: 400 for a duration that is negative or longer than a year.
    package func checked() throws(Refusal) -> Self {
        if let seconds = offlineSecondsMax, !(0...Self.offlineSecondsLimit).contains(seconds) {
            throw Refusal(
                .badRequest, "offline_seconds_max is \(seconds), but must be from 0 to \(Self.offlineSecondsLimit)")
        }
        return self
    }

    package var isEmpty: Bool { self == RepositorySettings() }

    var audited: [String: String] {
        var detail: [String: String] = [:]
        detail["private"] = isPrivate.map(String.init)
        detail["offline"] = offline?.rawValue
        detail["offline_seconds_max"] = offlineSecondsMax.map(String.init)
        detail["metadata_required"] = metadataRequired.map(String.init)
        detail["rewrite_crates_io"] = cratesIO?.rawValue
        return detail
    }
}
