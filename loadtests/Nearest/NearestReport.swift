/// What `nearest` found, for people and for programs.
struct NearestReport: Sendable {
    let directory: EdgeDirectory
    /// The nearest healthy one first.
    let standings: [EdgeStanding]

    init(_ directory: EdgeDirectory, _ standings: [EdgeStanding]) {
        self.directory = directory
        self.standings = EdgeStanding.sorted(standings)
    }

    /// Nil if no edge is healthy.
    var nearest: EdgeStanding? { standings.first.flatMap { $0.objection == nil ? $0 : nil } }

    var table: String {
        let rows = standings.map { standing in
            [
                standing.edge.name, standing.edge.region, Self.cell(standing.times?.connect),
                Self.cell(standing.times?.tls), Self.cell(standing.times?.firstByte),
                Self.cell(standing.times?.total), standing.edge.behind.map { "\($0)" } ?? "-",
                standing.objection ?? "ok",
            ]
        }
        return Console.table(
            ["EDGE", "REGION", "CONNECT", "TLS", "FIRST BYTE", "TOTAL", "BEHIND", "HEALTH"], rows)
    }

    private static func cell(_ time: Duration?) -> String { time?.shown ?? "-" }

    /// The same as JSON; times in milliseconds.
    struct Shape: Encodable {
        struct Edge: Encodable {
            let name: String
            let region: String
            let url: String
            let healthy: Bool
            let objection: String?
            let behind: UInt64?
            let connect_ms: Double?
            let tls_ms: Double?
            let first_byte_ms: Double?
            let total_ms: Double?
        }

        let index: String
        let nearest: String?
        let edges: [Edge]
    }

    var shape: Shape {
        Shape(
            index: directory.address.description, nearest: nearest?.edge.name,
            edges: standings.map { standing in
                Shape.Edge(
                    name: standing.edge.name, region: standing.edge.region, url: standing.edge.url,
                    healthy: standing.objection == nil, objection: standing.objection,
                    behind: standing.edge.behind, connect_ms: standing.times?.connect.milliseconds,
                    tls_ms: standing.times?.tls?.milliseconds,
                    first_byte_ms: standing.times?.firstByte.milliseconds,
                    total_ms: standing.times?.total.milliseconds)
            })
    }
}
