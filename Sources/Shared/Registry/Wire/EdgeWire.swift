/// What origin and edges say to each other besides the feed: header names, paths and JSON shapes.
///
/// | request                                                | answer                                                        |
/// |--------------------------------------------------------|---------------------------------------------------------------|
/// | `GET /edge/v1/feed?after=P` or `after=latest`          | server-sent events, `longshore-stream: REPLICA.N`             |
/// | `POST /edge/v1/ack` with `Acknowledgement`             | 204                                                           |
/// | `GET /edge/v1/repositories`                            | `RepositoryList`                                              |
/// | `GET /edge/v1/keys`                                    | `SigningKeyList`                                              |
/// | `GET /edge/v1/index/{repository}/{index path}`         | the index file with its ETag, 304, or 404                     |
/// | `POST /edge/v1/closure/{repository}` with `ClosureQuestion` | `ClosureList`, then the files; or one `ClosurePart`      |
/// | `GET`, `HEAD /edge/v1/crates/{repository}/{name}/{version}/{sha256}.crate` | the bytes, 403 with a reason, or 404      |
/// | `POST /edge/v1/introspect` with `Introspection.Question` | `Introspection`, or 404 for a token that is none            |
/// | `POST /edge/v1/report` with `EdgeReport`               | 204                                                           |
/// | `POST /edge/v1/access` with `AccessBatch`              | `AccessBatch.Taken`                                           |
///
/// Every answer to a read carries `longshore-position`: the feed position of the very snapshot it was read in.
/// A 404 without that header comes from something between edge and origin and says nothing about the crate.
/// Every request carries `Authorization: Bearer` with the edge's credential.
package enum EdgeWire {
    package static let feedPath = "/edge/v1/feed"
    package static let ackPath = "/edge/v1/ack"
    package static let repositoriesPath = "/edge/v1/repositories"
    package static let keysPath = "/edge/v1/keys"
    package static let introspectPath = "/edge/v1/introspect"
    package static let accessPath = "/edge/v1/access"
    package static let reportPath = "/edge/v1/report"
    package static let indexPrefix = "/edge/v1/index/"
    package static let closurePrefix = "/edge/v1/closure/"
    package static let cratesPrefix = "/edge/v1/crates/"

    package static let positionHeader = "longshore-position"
    /// The name of the rule by which policy withholds a download, in a 403 to an edge.
    package static let ruleHeader = "longshore-rule"
    package static let streamHeader = "longshore-stream"
    /// A `ClosurePart`, in a question for a closure and in the answer to it.
    package static let closurePartHeader = "longshore-closure-part"
    /// In how many parts the origin answers questions for closures; stands in the answer to `repositoriesPath`. An edge that
    /// has not seen it asks in one part.
    package static let closurePartsHeader = "longshore-closure-parts"
    /// The public address that the edge reports with its feed request.
    package static let edgeURLHeader = "longshore-edge-url"

    /// Where an edge reads a crate's index file.
    package static func index(_ repository: RepositoryName, _ path: IndexPath) -> String {
        indexPrefix + "\(repository)/\(path)"
    }

    /// Where an edge reads index files together with what a resolver will ask next.
    package static func closure(_ repository: RepositoryName) -> String { closurePrefix + "\(repository)" }

    /// - Parameter file: what follows `/{repository}/crates/` in a public address.
    package static func crate(_ repository: RepositoryName, _ file: CratePath) -> String {
        cratesPrefix + "\(repository)/\(file)"
    }
}

/// `{"stream":"r1.7","position":1042}`: everything up to `position` is applied.
package struct Acknowledgement: Codable, Hashable, Sendable {
    package let stream: String
    package let position: UInt64

    package init(stream: String, position: UInt64) {
        self.stream = stream
        self.position = position
    }
}

/// The data of a `lease` event: the newest position, and the origin's clock in RFC 3339 with whole seconds.
package struct Lease: Codable, Hashable, Sendable {
    package let head: UInt64
    package let now: String

    package init(head: UInt64, now: String) {
        self.head = head
        self.now = now
    }
}

/// What an edge must know of every repository that it serves.
package struct RepositoryList: Codable, Hashable, Sendable {
    /// One repository, as an edge must know it.
    package struct Entry: Codable, Hashable, Sendable {
        package let name: String
        /// True: reads need a token, `config.json` says `auth-required`.
        package let isPrivate: Bool
        /// The value of `api` in `config.json`, without a final slash.
        package let api: String
        /// Where a person gets a token; stands in the `WWW-Authenticate` challenge. An absolute URL.
        package let loginURL: String
        /// What the edge does while it is cut off: `serve-stale` or `refuse`.
        package let offline: String
        package let offlineSecondsMax: Int

        package init(
            name: String, isPrivate: Bool, api: String, loginURL: String, offline: String, offlineSecondsMax: Int
        ) {
            self.name = name
            self.isPrivate = isPrivate
            self.api = api
            self.loginURL = loginURL
            self.offline = offline
            self.offlineSecondsMax = offlineSecondsMax
        }
    }

    package let repositories: [Entry]

    package init(repositories: [Entry]) { self.repositories = repositories }
}

/// What the origin says of a token.
package struct Introspection: Codable, Hashable, Sendable {
    /// `{"sha256":"<64 hex digits of the secret's hash>"}`; the secret itself never travels.
    package struct Question: Codable, Hashable, Sendable {
        package let sha256: String
        /// True: the edge tells of those whom it refuses in its access log, so that the origin need not note it here.
        package let tellsRefusals: Bool?

        package init(sha256: String, tellsRefusals: Bool? = nil) {
            self.sha256 = sha256
            self.tellsRefusals = tellsRefusals
        }
    }

    /// The token's id, which `token` events name.
    package let subject: String
    package let grants: [Grant]
    /// Seconds since 1970; nil for a token without an end.
    package let expires: Int?

    package init(subject: String, grants: [Grant], expires: Int?) {
        self.subject = subject
        self.grants = grants
        self.expires = expires
    }
}

/// The public keys with which signed URLs are checked, and who the asking edge is to the origin.
package struct SigningKeyList: Codable, Hashable, Sendable {
    /// One key. Retired ones are listed for some days, so that refusals can say what happened.
    package struct Entry: Codable, Hashable, Sendable {
        package let id: String
        /// 32 bytes of Ed25519 in base64url.
        package let key: String
        package let isRetired: Bool

        package init(id: String, key: String, isRetired: Bool) {
            self.id = id
            self.key = key
            self.isRetired = isRetired
        }
    }

    /// The edge's name in the origin's table, which is what URLs are made for; its own setting may differ.
    package let edge: String
    package let keys: [Entry]

    package init(edge: String, keys: [Entry]) {
        self.edge = edge
        self.keys = keys
    }
}
