/// What goes wrong.
extension World {
    func failSoon() {
        after(dice.between(50_000, 1_500_000)) { [unowned self] in
            if isTurbulent { breakSomething() }
            failSoon()
        }
    }

    private func breakSomething() {
        let replica = replicas[dice.below(replicas.count)]
        let edge = edges[dice.below(edges.count)]
        switch dice.below(100) {
        case ..<8: restart(replica)
        case ..<16: cutOff(replica, for: dice.between(200_000, 8_000_000))
        case ..<18:
            let time = dice.between(5_000_000, 45_000_000)
            for replica in replicas { cutOff(replica, for: time) }
        case ..<28: restart(edge)
        case ..<40: breakLink(edge)
        case ..<47: freeze(edge)
        case ..<55: stall(edge)
        case ..<61: deafen(replica)
        case ..<67: database.slowness = dice.between(100_000, 3_000_000)
        case ..<70: database.prune(keeping: dice.below(20))
        case ..<72: database.damage(dice.below(6))
        case ..<76: jumpClock(edges[1])
        case ..<84: isolate(edge)
        case ..<88: edge.saveFailsUntil = now + dice.between(200_000, 4_000_000)
        case ..<94: edge.connection?.duplicatesUntil = now + dice.between(500_000, 4_000_000)
        default: burst()
        }
    }

    private func restart(_ replica: SimReplica) {
        replica.kill(isHeard: dice.chance(percent: 70))
        for edge in edges where edge.connection?.replica === replica { edge.calmSince = .max }
        after(dice.between(50_000, 6_000_000)) { replica.start() }
    }

    private func cutOff(_ replica: SimReplica, for time: Int) {
        note(replica.label, "loses the database", key: -1, UInt64(time), 0)
        replica.cutOffUntil = max(replica.cutOffUntil, now + time)
        troubleEdges(of: replica, until: replica.cutOffUntil + 1_100_000)
    }

    private func deafen(_ replica: SimReplica) {
        note(replica.label, "hears no notifications", key: -1, 0, 0)
        replica.deafUntil = now + dice.between(200_000, 5_000_000)
        troubleEdges(of: replica, until: replica.deafUntil + 1_100_000)
    }

    private func troubleEdges(of replica: SimReplica, until end: Int) {
        // An edge that comes to this replica meanwhile is in trouble too.
        for edge in edges { edge.trouble(until: end) }
        replica.troubledUntil = max(replica.troubledUntil, end)
    }

    private func restart(_ edge: SimEdge) {
        edge.kill(isGraceful: dice.chance(percent: 30), isHeard: dice.chance(percent: 70))
        // One machine has a bad clock; ages across the restarts of the others can be checked sharply.
        if edge === edges[1], dice.chance(percent: 30) { jumpClock(edge) }
        let pause = dice.chance(percent: 80) ? dice.between(50_000, 3_000_000) : dice.between(3_000_000, 40_000_000)
        after(pause) { edge.start() }
    }

    private func jumpClock(_ edge: SimEdge) {
        let seconds = dice.between(-60, 60)
        note(edge.name, "has its clock set", key: -1, UInt64(abs(seconds)), seconds < 0 ? 1 : 0)
        edge.wallError += seconds
        edge.wallJumps += abs(seconds)
    }

    private func breakLink(_ edge: SimEdge) {
        guard let stream = edge.connection else { return }
        note(edge.name, "loses its connection", key: -1, 0, 0)
        edge.calmSince = .max
        edge.hangUp(stream, isHeard: dice.chance(percent: 50))
        // The other half learns of it at once, or by the silence.
        if dice.chance(percent: 50) { edge.after(dice.between(300, 40_000)) { edge.lost(stream) } }
    }

    private func freeze(_ edge: SimEdge) {
        let time = dice.between(50_000, 8_000_000)
        note(edge.name, "gets no time", key: -1, UInt64(time), 0)
        edge.frozenUntil = max(edge.frozenUntil, now + time)
        edge.trouble(until: edge.frozenUntil + 100_000)
    }

    private func stall(_ edge: SimEdge) {
        guard let stream = edge.connection else { return }
        note(edge.name, "reads slowly", key: -1, 0, 0)
        stream.stalledUntil = max(stream.stalledUntil, now + dice.between(200_000, 14_000_000))
        edge.trouble(until: stream.stalledUntil + 100_000)
    }

    private func isolate(_ edge: SimEdge) {
        note(edge.name, "can't ask the origin", key: -1, 0, 0)
        edge.cutOffUntil = now + dice.between(200_000, 6_000_000)
    }

    /// More changes at once than memory holds.
    private func burst() {
        for _ in 0..<dice.between(10, 40) { change() }
    }

    /// Everything is mended; what is broken already is found by those who use it.
    func calmDown() {
        isTurbulent = false
        database.slowness = 0
        for replica in replicas {
            replica.cutOffUntil = 0
            replica.deafUntil = 0
            replica.start()
        }
        for edge in edges {
            (edge.frozenUntil, edge.cutOffUntil, edge.saveFailsUntil) = (min(edge.frozenUntil, now), 0, 0)
            if let stream = edge.connection { stream.stalledUntil = min(stream.stalledUntil, now) }
            edge.start()
        }
    }
}
