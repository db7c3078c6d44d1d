// What a run came to, and its line of JSON.

import Loopback

struct LoadResult {
    /// Answers completed in the whole run, the ramp included: what the server's CPU time is divided by.
    var completed = 0
    /// Answers begun and completed within the measured time.
    var measured = 0
    var seconds = 0.0
    var latency = Histogram()
    var firstEvent = Histogram()
    let streams = StreamTally()
    var failures = Failures()

    func requestsReport() -> String {
        "{\(common()),\"latency_us\":\(percentiles(latency))}"
    }

    func streamsReport() -> String {
        "{\(common()),\"events\":\(streams.events),\"lost\":\(streams.lost),\"misplaced\":\(streams.misplaced),"
            + "\"undone\":\(streams.undone),\"first_event_us\":\(percentiles(firstEvent)),"
            + "\"relay_delay_us\":\(percentiles(streams.relayDelay))}"
    }

    private func common() -> String {
        "\"completed\":\(completed),\"measured\":\(measured),\"seconds\":\(seconds),"
            + "\"per_second\":\(tenths(Double(measured) / seconds)),"
            + "\"errors\":{\"total\":\(failures.total),\"connect\":\(failures.connect),"
            + "\"status\":\(failures.status),\"broken\":\(failures.broken),\"timeout\":\(failures.timeout)}"
    }

    private func percentiles(_ histogram: Histogram) -> String {
        let parts = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)].map { name, fraction in
            "\"\(name)\":\(tenths(Double(histogram.percentile(fraction)) / 1_000))"
        }
        return "{\(parts.joined(separator: ",")),\"max\":\(tenths(Double(histogram.maximum) / 1_000)),"
            + "\"count\":\(histogram.count)}"
    }

    private func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
