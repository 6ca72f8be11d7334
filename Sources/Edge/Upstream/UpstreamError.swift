/// The origin gave no usable answer; says who is at fault and whether asking again can help.
struct UpstreamError: Error, CustomStringConvertible {
    enum Fault: Hashable, Sendable {
        /// No connection, no answer in time, or a broken one.
        case unreachable
        /// The origin answered that it can't just now (5xx, 429).
        case origin(status: Int)
        /// The origin refuses this edge (401, 403): its credential is wrong or was revoked.
        case credential(status: Int)
        /// An answer that breaks the protocol; or something else answers at the origin's address.
        case protocolBroken
        /// This edge itself: disk full, file system.
        case edge
    }

    let fault: Fault
    let detail: String
    /// What the origin wants clients to read, such as which upstream does not answer; nil: it said nothing for them.
    var words: String?

    var isUnreachable: Bool { fault == .unreachable }

    var retryCanHelp: Bool {
        switch fault {
        case .unreachable, .origin, .edge: true
        case .credential, .protocolBroken: false
        }
    }

    var description: String {
        switch fault {
        case .unreachable: "the origin can't be reached: \(detail)"
        case .origin(let status): "the origin answered \(status): \(detail)"
        case .credential(let status):
            "the origin refused this edge's credential (\(status)): make a new one with `longshore-origin edge create`"
        case .protocolBroken: "the answer is none of an origin: \(detail)"
        case .edge: detail
        }
    }
}
