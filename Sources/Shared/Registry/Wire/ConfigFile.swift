import FoundationEssentials

/// `config.json` at the root of an index.
///
/// Made from configured addresses only, never from a request's `Host`, because clients keep it without revalidating it.
/// Source: docs/PROTOCOL.md, "config.json".
package struct ConfigFile: Hashable, Sendable {
    /// How a download is named. Bases stand without a final slash: `https://edge.example/main/crates`.
    package enum Downloads: Hashable, Sendable {
        /// `{base}/{crate}/{version}/{sha256-checksum}.crate`: immutable, what edges cache.
        case byChecksum(base: String)
        /// `{base}/{crate}/{version}/download`: for the origin's redirect.
        case byVersion(base: String)

        var template: String {
            switch self {
            case .byChecksum(let base): base + "/{crate}/{version}/{sha256-checksum}.crate"
            case .byVersion(let base): base + "/{crate}/{version}/download"
            }
        }
    }

    package let downloads: Downloads
    /// Base of the web API without a final slash; cargo appends `/api/v1/…`.
    package let api: String
    package let authRequired: Bool

    package init(downloads: Downloads, api: String, authRequired: Bool) {
        self.downloads = downloads
        self.api = api
        self.authRequired = authRequired
    }

    /// - Parameter downloads: a base, for files that are named by their checksum.
    package init(downloads: String, api: String, authRequired: Bool) {
        self.init(downloads: .byChecksum(base: downloads), api: api, authRequired: authRequired)
    }

    package var json: String {
        let shape = Shape(
            dl: downloads.template, api: api, authRequired: authRequired ? true : nil)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(shape) else { preconditionFailure("three plain fields are always JSON") }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    private struct Shape: Codable {
        let dl: String
        let api: String
        let authRequired: Bool?

        enum CodingKeys: String, CodingKey {
            case dl, api
            case authRequired = "auth-required"
        }
    }
}
