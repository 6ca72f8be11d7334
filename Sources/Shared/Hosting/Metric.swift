package import CoreMetrics

/// The names of all metrics, with what they mean. Adding one is a case here and a use in its slice.
///
/// Durations are in seconds, sizes in bytes. Rooms that may not see Hosting (Postgres, EdgeHTTP) offer figures,
/// which the program reads in `PrometheusMetrics.onRead`.
package enum Metric: String, CaseIterable, Sendable {
    case requests = "longshore_http_requests_total"
    case requestSeconds = "longshore_http_request_seconds"
    case responseBytes = "longshore_http_response_bytes_total"
    case requestsRunning = "longshore_http_requests_running"
    case publishes = "longshore_publishes_total"
    case cacheReads = "longshore_cache_reads_total"
    case signedURLs = "longshore_signed_urls_total"
    case cacheBytes = "longshore_cache_bytes"
    case cacheEntries = "longshore_cache_entries"
    case originRequests = "longshore_origin_requests_total"
    case originRequestSeconds = "longshore_origin_request_seconds"
    case fillFiles = "longshore_fill_files_total"
    case fillBytes = "longshore_fill_bytes_total"
    case feedPosition = "longshore_feed_position"
    case feedHead = "longshore_feed_head"
    case feedLagSeconds = "longshore_feed_lag_seconds"
    case feedFresh = "longshore_feed_fresh"
    case feedEdges = "longshore_feed_edges"
    case feedWaitSeconds = "longshore_feed_wait_seconds"
    case poolConnections = "longshore_postgres_connections"
    case poolWaiting = "longshore_postgres_pool_waiting"
    case postgresErrors = "longshore_postgres_errors_total"
    case postgresRetries = "longshore_postgres_retries_total"
    case connectionsOpen = "longshore_connections_open"
    case accessBatches = "longshore_access_batches_total"
    case readsWaiting = "longshore_reads_waiting"
    case readsLost = "longshore_reads_lost_total"
    case upstreamRequests = "longshore_upstream_requests_total"
    case spoolBytes = "longshore_reads_spool_bytes"
    case webhooks = "longshore_webhook_messages_total"

    /// The `# HELP` line, with the labels that go with it.
    package var help: String {
        switch self {
        case .requests: "Requests answered, by route, method and status."
        case .requestSeconds: "Time from the request's head to the last byte of the answer, by route."
        case .responseBytes: "Bytes of answers' bodies, by route."
        case .requestsRunning: "Requests that are being answered now."
        case .publishes: "Publishes, by result: accepted or refused."
        case .cacheReads: "Reads of an edge's cache, by kind (config, index, crate) and result (hit, miss, stale)."
        case .signedURLs:
            "Downloads that came to an edge with a signature, by result: open, unavailable, or why it was refused."
        case .cacheBytes: "Bytes that an edge's cache holds, by kind and place (memory, disk)."
        case .cacheEntries: "Entries that an edge's cache holds, by kind."
        case .originRequests: "An edge's requests to its origin, by kind and result."
        case .originRequestSeconds: "How long the origin took to answer an edge, by kind."
        case .fillFiles:
            "Files that closures brought an edge, by result (came, absent, held: a no-op, overtaken, unwanted)."
        case .fillBytes: "Bytes of index files that closures brought an edge."
        case .feedPosition: "The newest feed position applied."
        case .feedHead: "The newest feed position heard of."
        case .feedLagSeconds: "Seconds since the feed was last known to be fully applied."
        case .feedFresh: "1 while the edge may call its cache fresh, otherwise 0."
        case .feedEdges: "Edges connected to this replica's feed."
        case .feedWaitSeconds: "How long a publish or yank waited for the edges' acknowledgements."
        case .poolConnections: "PostgreSQL connections of the pool, by state (idle, busy)."
        case .poolWaiting: "Tasks that wait for a connection of the pool."
        case .postgresErrors: "Errors of PostgreSQL, by kind."
        case .postgresRetries: "Transactions that were repeated after a serialization failure or deadlock."
        case .connectionsOpen: "Client connections that are open."
        case .accessBatches: "Batches of the access log, by result: sent by an edge; taken or repeated at the origin."
        case .readsWaiting:
            "Rows of the access log that the origin was not told of yet, by what (pulls, sums, refusals)."
        case .readsLost:
            "What the access log lost, by what: trail (who read it), counts (that it was read), refusals (who was refused)."
        case .upstreamRequests:
            "Questions for index files to upstreams, by upstream and result (present, absent, overtaken, fault)."
        case .spoolBytes: "Bytes that an edge's access log takes on its disk."
        case .webhooks: "Messages to webhooks, by result: delivered, failed (tried again) or dead (not tried again)."
        }
    }

    /// The table of docs/OPERATIONS.md, one row a metric.
    package static func markdownTable() -> String {
        let rows = allCases.map { "| `\($0.rawValue)` | \($0.help) |" }
        return (["| metric | meaning |", "|---|---|"] + rows).joined(separator: "\n") + "\n"
    }

    /// A counter of this name: `Metric.publishes.counter(["result": "accepted"])`.
    package func counter(_ labels: KeyValuePairs<String, String> = [:]) -> Counter {
        Counter(label: rawValue, dimensions: labels.map { ($0.key, $0.value) })
    }

    /// A gauge of this name: the last value counts.
    package func gauge(_ labels: KeyValuePairs<String, String> = [:]) -> Gauge {
        Gauge(label: rawValue, dimensions: labels.map { ($0.key, $0.value) })
    }

    /// A gauge that can be raised and lowered.
    package var meter: Meter { Meter(label: rawValue) }

    /// A histogram of seconds.
    package func timer(_ labels: KeyValuePairs<String, String> = [:]) -> Timer {
        Timer(label: rawValue, dimensions: labels.map { ($0.key, $0.value) })
    }
}
