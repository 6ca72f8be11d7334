import Registry

@testable import Origin

/// One feed connection: the replica's end, the wire, and what the wire does to what is sent.
final class SimStream {
    /// What travels: the words of the stream, with what only the checks know.
    enum Message {
        case frames([FeedRing.Frame])
        /// `seenAt`: when the replica read the table that the lease speaks of.
        case lease(head: UInt64, seenAt: Int)
        case reset(head: UInt64)
        /// The replica closed the connection.
        case end
    }

    unowned let replica: SimReplica
    let replicaLife: Int
    unowned let edge: SimEdge
    let edgeLife: Int
    let number: UInt64
    var standing: StreamStanding
    /// False when the replica has let go of it.
    var isOpen = true
    /// Nothing arrives any more in either direction, and nobody was told.
    var isBroken = false
    /// The edge's side takes no bytes until then.
    var stalledUntil = 0
    var isWriting = false
    var isReading = false
    var duplicatesUntil = 0
    private var lastArrival = 0
    private var sent: [FeedRing.Frame] = []

    init(_ replica: SimReplica, _ edge: SimEdge, _ number: UInt64, after position: UInt64) {
        self.replica = replica
        replicaLife = replica.life
        self.edge = edge
        edgeLife = edge.life
        self.number = number
        standing = StreamStanding(after: position)
    }

    /// In order on one connection; connections overtake each other.
    func send(_ message: Message) {
        let world = replica.world
        remember(message)
        guard !isBroken else { return }
        lastArrival = max(lastArrival, world.now + world.dice.between(300, 40_000))
        world.after(lastArrival - world.now) { [self] in
            guard !isBroken else { return }
            edge.arrived(message, on: self)
        }
        guard world.now < duplicatesUntil, let old = sent.randomElement(&world.dice) else { return }
        world.after(lastArrival - world.now) { [self] in
            guard !isBroken else { return }
            edge.arrived(.frames([old]), on: self)
        }
    }

    private func remember(_ message: Message) {
        guard case .frames(let frames) = message else { return }
        sent = Array((sent + frames).suffix(6))
    }
}

extension Array {
    func randomElement(_ dice: inout Dice) -> Element? { isEmpty ? nil : self[dice.below(count)] }
}
