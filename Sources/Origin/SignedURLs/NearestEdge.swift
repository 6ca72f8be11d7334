import Crypto
import Registry

/// An edge that was connected a moment ago, and where clients reach it.
package struct LiveEdge: Hashable, Sendable {
    package let name: String
    package let region: String
    /// Without a final slash.
    package let url: String

    package init(name: String, region: String, url: String) {
        self.name = name
        self.region = region
        self.url = url
    }
}

/// Which edge a client is sent to. Pure.
///
/// | situation                                       | choice                                              |
/// |-------------------------------------------------|-----------------------------------------------------|
/// | edges in the client's region                    | one of these, by the file's checksum                |
/// | none there, or the region is not known          | one of all, by the file's checksum                  |
/// | an address of this machine, for a client elsewhere | never chosen: `http://127.0.0.1` leads nowhere there |
/// | several edges under one address (DNS, anycast)  | whichever of them answers: signed for any edge      |
///
/// By rendezvous hashing: each file has its edge, so that caches don't all hold everything, and an edge that goes or
/// comes moves only the files that are its own.
struct NearestEdge: Hashable {
    let url: String
    /// For the signature: the edge's name, or `*`.
    let audience: String

    init?(
        among edges: [LiveEdge], clientRegion: String?, isClientLocal: Bool, for checksum: Checksum
    ) {
        let reachable = edges.filter { isClientLocal || !Self.isLocal($0.url) }
        let near = reachable.filter { clientRegion != nil && $0.region == clientRegion }
        let best = (near.isEmpty ? reachable : near).max { left, right in
            let (one, other) = (Self.weight(left, checksum), Self.weight(right, checksum))
            return one == other ? left.name < right.name : one < other
        }
        guard let best else { return nil }
        url = best.url
        audience = edges.count { $0.url == best.url } == 1 ? best.name : "*"
    }

    private static func weight(_ edge: LiveEdge, _ checksum: Checksum) -> UInt64 {
        SHA256.hash(data: checksum.bytes + Array(edge.name.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// - Parameter url: absolute, `http` or `https`.
    static func isLocal(_ url: String) -> Bool {
        guard let start = url.firstRange(of: "://")?.upperBound else { return false }
        let host = url[start...].prefix { !"/?#".contains($0) }
        // The addresses that mean "every interface" are told by edges whose `public-url` nobody set.
        return ["127.", "0.0.0.0", "[::1]", "[::]", "localhost:"].contains(where: host.hasPrefix) || host == "localhost"
    }
}
