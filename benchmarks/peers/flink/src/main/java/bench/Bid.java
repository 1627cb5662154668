package bench;

public class Bid {
  public long auction, bidder, price;
  public String channel, url;
  public long dateTime;
  public String extra;
}
