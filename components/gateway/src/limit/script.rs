//! Limits in a Redis: the same algorithm as [`super::gcra`], in one round trip.
//!
//! Redis brings the clock, so that all replicas have the same one. What is over is forgotten by Redis itself.

use super::gcra::{Quota, Taken};
use super::{Class, Fingerprint};

/// Takes one request. Keys: the client's TAT, the counter of refusals. Arguments: interval and window in
/// microseconds. Answers whether it is admitted, and how far the TAT lies ahead. The numbers stay below
/// 2^53, so Lua's floating point keeps each microsecond.
pub const SCRIPT: &str = "\
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = (tonumber(redis.call('GET', KEYS[1])) or now) - now
local ahead = math.max(0, math.min(kept, window))
local admitted = ahead + interval <= window
if admitted then ahead = ahead + interval end
if admitted or kept > window then
  redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000))
end
if not admitted then redis.call('INCR', KEYS[2]) end
return {admitted and 1 or 0, ahead}
";

/// The keys of a request in [`SCRIPT`].
pub fn keys(client: Fingerprint, class: Class) -> [String; 2] {
    [
        format!("bodega/limit/{:016x}{:016x}", client.low(), client.high()),
        counter(class),
    ]
}

/// The key under which refusals are counted.
pub fn counter(class: Class) -> String {
    format!("bodega/limited/{}", class.name())
}

/// The arguments of a request in [`SCRIPT`].
pub fn arguments(quota: Quota) -> [String; 2] {
    [quota.interval_us().to_string(), quota.window_us().to_string()]
}

/// What [`SCRIPT`] answered; none if it is something else.
pub fn taken(reply: &[i64], quota: Quota) -> Option<Taken> {
    let [admitted @ (0 | 1), ahead_us] = *reply else {
        return None;
    };
    (0..=quota.window_us()).contains(&ahead_us).then_some(Taken {
        admitted: admitted == 1,
        ahead_us,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_of_the_script_is_one() {
        let quota = Quota::per_minute(60).unwrap();
        let admitted = Taken {
            admitted: true,
            ahead_us: 1_000_000,
        };
        assert_eq!(taken(&[1, 1_000_000], quota), Some(admitted));
        let refused = taken(&[0, 60_000_000], quota).unwrap();
        assert_eq!((refused.admitted, quota.wait_us(refused)), (false, 1_000_000));
        for bad in [
            [].as_slice(),
            &[1],
            &[2, 0],
            &[1, -1],
            &[1, 60_000_001],
            &[1, 0, 0],
        ] {
            assert_eq!(taken(bad, quota), None, "{bad:?}");
        }
    }

    #[test]
    fn each_class_and_client_has_a_key_of_its_own() {
        let client = Fingerprint::from_halves(1, 0xab);
        assert_eq!(
            keys(client, Class::Login),
            [
                "bodega/limit/000000000000000100000000000000ab",
                "bodega/limited/login"
            ]
        );
        let quota = Quota::per_minute(600).unwrap().with_burst(10);
        assert_eq!(arguments(quota), ["100000", "1000000"]);
    }
}
