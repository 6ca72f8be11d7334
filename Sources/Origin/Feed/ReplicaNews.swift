/// What replicas tell each other by `NOTIFY`: hints that save waiting; the table `replicas` is the truth.
enum ReplicaNews: Hashable, CustomStringConvertible {
    /// A replica's edges, the lowest position that all of them have applied, and when it said so.
    case progress(String, ReplicaProgress)
    /// An acknowledgement that reached another replica than the one that the edge's stream is connected to.
    case acknowledged(StreamName, edgeID: Int64, position: UInt64)

    static let channel = "longshore_replicas"

    init?(parsing text: String) {
        let words = text.split(separator: " ").map(String.init)
        switch words.first {
        case "progress" where words.count == 5:
            guard let edges = Int(words[2]), let at = Int64(words[4]) else { return nil }
            self = .progress(words[1], ReplicaProgress(edges: edges, applied: UInt64(words[3]), at: at))
        case "ack" where words.count == 4:
            guard let stream = StreamName(parsing: words[1]), let edge = Int64(words[2]),
                let position = UInt64(words[3])
            else { return nil }
            self = .acknowledged(stream, edgeID: edge, position: position)
        default: return nil
        }
    }

    var description: String {
        switch self {
        case .progress(let replica, let said):
            "progress \(replica) \(said.edges) \(said.applied.map(String.init) ?? "-") \(said.at)"
        case .acknowledged(let stream, let edge, let position): "ack \(stream) \(edge) \(position)"
        }
    }
}

/// What a replica last said of its edges.
struct ReplicaProgress: Hashable, Sendable {
    let edges: Int
    /// Nil without edges.
    let applied: UInt64?
    /// Microseconds since 1970 by the database's clock; later words replace earlier ones.
    let at: Int64

    func isBehind(_ position: UInt64) -> Bool { edges > 0 && (applied ?? 0) < position }
}
